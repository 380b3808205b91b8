//! The first request after a start compiles all of the code, and nobody has been asked for it yet.

use std::time::Duration;

use crate::faults::{Attempt, FaultError, Result};
use crate::http_burst::meanwhile;
use crate::machine::{FPM, INI, Machine};
use crate::parts::composer_app::{Autoload, Size};
use crate::parts::composer_machine::{APPLICATION, open};
use crate::scenario::{Scenario, World};
use crate::score::{Effect, Expected, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cold-start",
    title: "the first visitor after a start waits until 2,000 classes are compiled",
    world: World::Namespaces,
    quick: false,
    run,
};

const COMMON: &str = "opcache.validate_timestamps = 0\n\
                      opcache.memory_consumption = 256\n";
/// Starts over which the best first and warm requests are taken.
const STARTS: u32 = 3;
/// The script that narrows writes.
const SCRIPT: &str = "/srv/preload.php";

/// The start of the application in ms, as it tells it: of the first request after a start, and of one when warm. The best of
/// some, which other work of the machine disturbed least.
fn measure(machine: &Machine) -> Result<[f64; 2]> {
    let (mut first, mut warm) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..STARTS {
        machine.service(FPM, "restart")?;
        first = first.min(boot_ms(machine)?);
        for _ in 0..6 {
            warm = warm.min(boot_ms(machine)?);
        }
    }
    Ok([first, warm])
}

fn boot_ms(machine: &Machine) -> Result<f64> {
    let told = machine.demand("/index.php", "classes=2000")?.body;
    let number =
        told.split_once("boot_us=").map(|(_, rest)| rest).and_then(|rest| rest.split_whitespace().next());
    let number = number.ok_or_else(|| FaultError::new(format!("no time in {told}")))?;
    let us: f64 = number.parse().attempt(|| format!("understand {told}"))?;
    Ok(us / 1000.0)
}

fn run(score: &mut Score) -> Result<()> {
    let machine = open(Size::GROWN, Autoload::Authoritative, 4, COMMON)?;
    let [first, warm] = measure(&machine)?;
    let folders: Vec<_> = (0..6).flat_map(|folder| ["--from".to_owned(), format!("src{folder}")]).collect();
    let folders = folders.iter().map(String::as_str);
    let words: Vec<_> = ["preload", APPLICATION, "-o", SCRIPT].into_iter().chain(folders).collect();
    machine.site.succeeds(&words)?;
    let classes = machine.site.read(SCRIPT)?.matches("/C").count();
    score.remarks.push(format!("narrows preload takes {classes} files of 2000"));
    machine
        .site
        .write(INI, &format!("{COMMON}opcache.preload = {SCRIPT}\nopcache.preload_user = www-data\n"))?;
    let [first_preloaded, warm_preloaded] = measure(&machine)?;
    let visit = || boot_ms(&machine).map(drop);
    let report = meanwhile(Duration::from_millis(200), visit, || machine.site.check(&["--for", "5s"]))?;
    score
        .judge_rivals(&report, &["opcache.preload-unsafe", "opcache.preload-useless", "opcache.memory-full"]);
    machine.site.write(INI, COMMON)?;
    let [first_undone, warm_undone] = measure(&machine)?;
    let effect = |metric: &str, before, after, undone, expected| Effect {
        change: "opcache.preload = what narrows preload writes".to_owned(),
        metric: metric.to_owned(),
        before,
        after,
        undone: Some(undone),
        expected,
    };
    score.effects.extend([
        effect("the first request, ms", first, first_preloaded, first_undone, Expected::FallsTo(0.5)),
        effect("a warm request, ms", warm, warm_preloaded, warm_undone, Expected::FallsTo(1.5)),
    ]);
    score.restored = Some(first_undone > 2.0 * first_preloaded);
    Ok(())
}
