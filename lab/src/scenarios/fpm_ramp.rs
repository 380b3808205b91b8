//! Everybody comes at once, and a dynamic pool takes seconds to have workers for them.

use std::time::Duration;

use super::fpm_herd::{CROWD, DYNAMIC, crowd, few, measure, open};
use crate::faults::Result;
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fpm-ramp",
    title: "1,500 visitors at once: a dynamic pool starts its workers while they wait",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "php-fpm.ramp-slow";
const RIVALS: &[&str] =
    &["php-fpm.backlog-short", "sockets.unix-queue-overflow", "sockets.accept-queue-overflow"];

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "10s",
        load: &crowd,
        calm: Some(&few),
        every: Duration::from_secs(6),
    };
    let metric = Metric::falls_to(0.6, &format!("p99 of {CROWD} visitors at once, ms"));
    course
        .take(
            score,
            || open("pm = static\npm.max_children = 120\nlisten.backlog = 1024\n"),
            || open(&format!("{DYNAMIC}listen.backlog = 4096\n")),
            [metric],
            |machine| {
                let [_, p99_ms] = measure(machine)?;
                Ok([p99_ms])
            },
        )
        .map(drop)
}
