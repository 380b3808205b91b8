//! Everybody comes at once, and PHP-FPM's queue is shorter than the crowd.

use std::time::Duration;

use crate::faults::Result;
use crate::http_burst::{total_ms, with_status};
use crate::machine::{FPM, Machine, Setup, count, pool, server};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fpm-herd",
    title: "1,500 visitors at once: a dynamic pool of 10 to 120 workers with a queue of 128",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "php-fpm.backlog-short";
const RIVALS: &[&str] = &["sockets.accept-queue-overflow", "sockets.ephemeral-ports-exhausted"];
const CURE: &[&str] = &["php-fpm.backlog-short", "php-fpm.ramp-slow"];
/// Visitors who come at once.
pub(super) const CROWD: usize = 1500;
/// Waits as for a database, then computes for a moment.
pub(super) const PAGE: &str =
    "<?php usleep(30000); $x = 0; for ($i = 0; $i < 20000; $i++) $x += $i; echo 'ok';\n";
/// As many a guide has it.
pub(super) const DYNAMIC: &str = "pm = dynamic\npm.max_children = 120\npm.start_servers = 10\npm.min_spare_servers = 5\n\
                       pm.max_spare_servers = 15\npm.status_path = /fpm-status\n";
const STATIC: &str = "pm = static\npm.max_children = 120\npm.status_path = /fpm-status\n";

/// A machine with such a pool.
pub(super) fn open(settings: &str) -> Result<Machine> {
    Machine::serving(&Setup {
        pool: pool(settings),
        server: server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    })
}

/// Answers 502 of 100 and the 99th percentile of good ones in ms, when a crowd meets workers that have just started.
pub(super) fn measure(machine: &Machine) -> Result<[f64; 2]> {
    machine.service(FPM, "restart")?;
    machine.demand("/index.php", "ok")?;
    let answers = machine.burst("/index.php", CROWD)?;
    Ok([100.0 * count(with_status(&answers, 502)) / count(answers.len()), total_ms(&answers, 99)])
}

/// A crowd.
pub(super) fn crowd(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", CROWD).map(drop)
}

/// As many visitors as there are workers.
pub(super) fn few(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", 40).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: CURE,
        window: "8s",
        load: &crowd,
        calm: Some(&few),
        every: Duration::from_secs(4),
    };
    let metric = Metric::falls_to(0.0, &format!("answers 502 of 100, {CROWD} visitors at once"));
    course
        .take(
            score,
            || open(&format!("{STATIC}listen.backlog = 1024\n")),
            || open(&format!("{DYNAMIC}listen.backlog = 128\n")),
            [metric],
            |machine| {
                let [refused, _] = measure(machine)?;
                Ok([refused])
            },
        )
        .map(drop)
}
