//! nginx answers 502 at once while PHP-FPM's queue, a Unix socket's, is full for moments.

use std::time::Duration;

use crate::faults::{FaultError, Result};
use crate::http_burst::with_status;
use crate::machine::{FPM, Machine, NGINX, Setup, count, pool, server};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "listen-overflow-unix",
    title: "nginx answers 502 in bursts: PHP-FPM's Unix socket has a queue of 16",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "php-fpm.backlog-short";
const RIVALS: &[&str] = &["sockets.accept-queue-overflow", "sockets.syn-queue-full", "irq.backlog-short"];
const LIMIT: &str = "net.core.somaxconn";
/// What somebody lowered the limit to, and what a kernel has by itself.
const SHORT: &str = "16";
const DEFAULT: &str = "4096";
/// Waits as for a database, and uses no CPU meanwhile: so long is the queue full, and no sample misses it.
const PAGE: &str = "<?php usleep(150000); echo 'ok';";
/// Visitors who come at once: more than the workers and the queue hold, fewer than a queue of 64 does.
const BURST: usize = 48;
/// From one burst to the next: longer than a burst of 48 takes, 48 ÷ 6 × 150 ms.
const EVERY: Duration = Duration::from_millis(1500);
/// Bursts whose errors are counted.
const BURSTS: usize = 4;

fn open(somaxconn: &str) -> Result<Machine> {
    let machine = Machine::boot()?;
    let setup = Setup {
        pool: pool("pm = static\npm.max_children = 6\nlisten.backlog = 16\n"),
        server: server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    setup.lay_out(&machine)?;
    // nginx keeps the long queue that it asked for before the limit was lowered.
    machine.service(NGINX, "start")?;
    machine.set("net/core/somaxconn", somaxconn)?;
    machine.service(FPM, "start")?;
    machine.demand("/index.php", "ok")?;
    Ok(machine)
}

/// Answers 502 in some bursts, once PHP-FPM has asked for its queue anew: on a reload it would keep the socket as it is.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    machine.service(FPM, "restart")?;
    let mut refused = 0;
    for _ in 0..BURSTS {
        refused += with_status(&machine.burst("/index.php", BURST)?, 502);
    }
    Ok([count(refused)])
}

fn burst(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", BURST).map(drop)
}

/// No more visitors than workers.
fn few(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", 5).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &burst,
        calm: Some(&few),
        every: EVERY,
    };
    let metric = Metric::falls_to(0.0, &format!("answers 502 in {BURSTS} bursts of {BURST}"));
    let plan = course.take(score, || open(DEFAULT), || open(SHORT), [metric], measure)?;
    // The pool and the kernel must both allow the queue; one alone changes nothing.
    let kinds: Vec<_> = plan.changes.iter().map(|change| change.id.as_str()).collect();
    let both = kinds.contains(&LIMIT) && kinds.iter().any(|id| id.contains("/pool.d/"));
    if both { Ok(()) } else { Err(FaultError::new(format!("the plan changes {kinds:?} alone"))) }
}
