//! Composer's autoloader looks for every class in six folders, and for some that are nowhere, in every request.

use std::time::Duration;

use crate::faults::Result;
use crate::machine::Machine;
use crate::parts::composer_app::{Autoload, Size};
use crate::parts::composer_machine::{APPLICATION, open};
use crate::parts::course::{Course, Metric};
use crate::parts::path_calls;
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "enoent-storm",
    title: "6,200 questions for files that are not there in each request: Composer's map is not complete",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "composer.autoloader-not-authoritative";
const RIVALS: &[&str] = &["composer.code-on-network-filesystem", "opcache.memory-full"];
const INI: &str = "opcache.file_update_protection = 0\nopcache.memory_consumption = 256\n";

/// Questions of a request for what is not there.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    for _ in 0..2 {
        visit(machine)?;
    }
    let calls = path_calls::counted(machine, APPLICATION, || visit(machine))?;
    Ok([calls.missing])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "classes=2000").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(200),
    };
    let metric = Metric::falls_to(0.01, "questions for what is not there, a request");
    let open = |autoload| open(Size::GROWN, autoload, 1, INI);
    course.take(score, || open(Autoload::Authoritative), || open(Autoload::Psr4), [metric], measure).map(drop)
}
