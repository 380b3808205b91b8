//! A pool may have more workers than memory holds: the day that all of them are busy, the kernel kills some.

use std::time::Duration;

use crate::faults::{Attempt, FaultError, Result};
use crate::machine::{Machine, Setup, pool, server};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "memory-overcommit",
    title: "a pool may start so many workers of 70 MB that twice the memory would not hold them",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "php-fpm.memory-overcommitted";
const RIVALS: &[&str] = &["php-fpm.backlog-short", "sockets.unix-queue-overflow", "php-fpm.pool-saturated"];
/// What a worker holds while it makes a page, in MiB.
const WORKER_MIB: u64 = 70;
/// Holds memory for as long as a slow query takes.
const PAGE: &str = "<?php $x = str_repeat('x', 70 << 20); usleep(3000000); echo 'ok ', strlen($x);\n";
/// Visitors who are there all the time.
const FEW: usize = 14;

fn open(most: u64) -> Result<Machine> {
    Machine::serving(&Setup {
        pool: pool(&format!(
            "pm = dynamic\npm.max_children = {most}\npm.start_servers = 20\npm.min_spare_servers = 4\n\
             pm.max_spare_servers = 24\nlisten.backlog = 32\n"
        )),
        server: server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    })
}

/// Workers of 70 MiB that all memory holds.
fn held() -> Result<u64> {
    let path = "/proc/meminfo";
    let text = std::fs::read_to_string(path).attempt(|| format!("read {path}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let kib: u64 =
        total.and_then(|kib| kib.trim().parse().ok()).ok_or_else(|| FaultError::new("no MemTotal"))?;
    Ok(kib / 1024 / WORKER_MIB)
}

/// What the pool may take at most, in multiples of all memory. Nobody makes it: the machine is not ours alone.
#[expect(clippy::cast_precision_loss, reason = "hundreds of workers")]
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    let shown = machine.run(&["sh", "-c", "php-fpm8.2 -tt 2>&1"])?;
    let most = shown.lines().find_map(|line| line.split_once("pm.max_children = "));
    let most: u64 = most
        .and_then(|(_, most)| most.trim().parse().ok())
        .ok_or_else(|| FaultError::new("PHP-FPM tells no pm.max_children"))?;
    Ok([most as f64 / held()? as f64])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", FEW).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let held = held()?;
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(3050),
    };
    let metric = Metric::falls_to(0.5, "memory that the pool may take, of all there is");
    course.take(score, || open(held / 4), || open(2 * held), [metric], measure).map(drop)
}
