//! WordPress starts its cron jobs from visits, in the pool that makes the pages.

use std::thread;
use std::time::{Duration, Instant};

use crate::faults::Result;
use crate::http_burst::{Answer, total_ms};
use crate::machine::{Machine, count};
use crate::parts::course::{Course, Metric};
use crate::parts::wordpress::{open, runs};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "wp-cron-hog",
    title: "an import that WordPress runs from visits takes workers and CPU time from the pages",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "wordpress.cron-in-requests";
const RIVALS: &[&str] = &["sockets.unix-queue-overflow", "php-fpm.backlog-short"];
const WORKERS: u32 = 4;
/// How long visitors come and runs are counted.
const COUNTED: Duration = Duration::from_secs(10);

/// Runs of the import within PHP-FPM while visitors come, and the 99th percentile of the pages in ms.
fn measure(machine: &Machine) -> Result<[f64; 2]> {
    // OPcache sees the edit of a file within two seconds; what began before is none of it.
    visits(machine, Duration::from_secs(4))?;
    runs(machine)?;
    let answers = visits(machine, COUNTED)?;
    let (in_pool, _) = runs(machine)?;
    Ok([count(in_pool), total_ms(&answers, 99)])
}

fn visits(machine: &Machine, during: Duration) -> Result<Vec<Answer>> {
    let (begun, mut answers) = (Instant::now(), vec![]);
    while begun.elapsed() < during {
        answers.push(machine.demand("/", "Tour 19")?);
        thread::sleep(Duration::from_millis(100));
    }
    Ok(answers)
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/", "Tour 19").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "12s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(150),
    };
    let metrics = [
        Metric::falls_to(0.0, "runs of the import in PHP-FPM, 10 s of visits"),
        Metric::remark("p99 of pages, ms"),
    ];
    course.take(score, || open(WORKERS, false), || open(WORKERS, true), metrics, measure).map(drop)
}
