//! Composer's autoloader looks for every class in six folders, and for some that are nowhere, in every request.

use std::time::Duration;

use crate::faults::{FaultError, Result};
use crate::http_burst::meanwhile;
use crate::machine::{FPM, Machine};
use crate::parts::composer_app::{Autoload, Size};
use crate::parts::composer_machine::{APPLICATION, open};
use crate::parts::path_calls;
use crate::scenario::{Scenario, World};
use crate::score::{Effect, Expected, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "enoent-storm",
    title: "6,200 questions for files that are not there in each request: Composer's map is not complete",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "composer.autoloader-not-authoritative";
const RIVALS: &[&str] = &["composer.code-on-network-filesystem", "opcache.memory-full"];
/// Where narrows writes the profile.
const PROFILE: &str = "/srv/profile.json";
const INI: &str = "opcache.validate_timestamps = 0\nopcache.memory_consumption = 256\n";

/// Questions of a request for what is not there.
fn measure(machine: &Machine) -> Result<f64> {
    for _ in 0..2 {
        visit(machine)?;
    }
    let calls = path_calls::counted(machine, APPLICATION, || visit(machine))?;
    Ok(calls.missing)
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "classes=2000").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let open = |autoload| open(Size::GROWN, autoload, 4, INI);
    let look = |machine: &Machine, options: &[&str]| {
        let every = Duration::from_millis(300);
        meanwhile(every, || visit(machine), || machine.site.check(&[&["--for", "5s"], options].concat()))
    };
    let twin = open(Autoload::Authoritative)?;
    let mut report = look(&twin, &[])?;
    report.causes.retain(|cause| ["composer", "opcache", "php-fpm", "nginx"].contains(&cause.layer.as_str()));
    score.judge_twin(&report);
    drop(twin);

    let machine = open(Autoload::Psr4)?;
    let before = measure(&machine)?;
    let trace = || machine.site.succeeds(&["profile", "php", "--for", "4s", "-o", PROFILE]);
    meanwhile(Duration::from_millis(100), || visit(&machine), trace)?;
    let report = look(&machine, &["--profile", PROFILE])?;
    score.judge(&report, CAUSE, RIVALS);
    let asked = report.causes.iter().find(|cause| cause.id == CAUSE);
    let asked = asked.into_iter().flat_map(|cause| &cause.remedies).flat_map(|remedy| &remedy.changes);
    let asked: Vec<_> = asked.map(|change| change.target.value.as_str()).collect();
    if !asked.contains(&"composer dump-autoload --classmap-authoritative") {
        return Err(FaultError::new(format!("the remedy of {CAUSE} asks for {asked:?}")));
    }
    // What the build does, which is no host's.
    build(&machine, &["--classmap-authoritative"])?;
    let after = measure(&machine)?;
    build(&machine, &[])?;
    let undone = measure(&machine)?;
    // PHP asks for a file of its own now and then.
    score.restored = Some((undone - before).abs() <= before / 100.0);
    score.effects.push(Effect {
        change: "composer dump-autoload --classmap-authoritative, in the build".to_owned(),
        metric: "questions for what is not there, a request".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.01),
    });
    Ok(())
}

fn build(machine: &Machine, options: &[&str]) -> Result<()> {
    let folder = format!("--working-dir={APPLICATION}");
    let composer =
        ["env", "COMPOSER_ALLOW_SUPERUSER=1", "COMPOSER_DISABLE_NETWORK=1", "COMPOSER_HOME=/srv/composer"];
    let words = ["composer", "dump-autoload", "--quiet", "--no-interaction", &folder];
    machine.run(&[&composer[..], &words, options].concat())?;
    machine.service(FPM, "restart")
}
