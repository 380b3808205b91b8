//! A pool may have more workers than memory holds, and the kernel kills some when a crowd comes.

use std::time::Duration;

use crate::faults::Result;
use crate::inside::settle;
use crate::machine::{Machine, Setup, count, pool, server};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Guest, Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "memory-overcommit",
    title: "40 workers of 70 MB may be started where memory holds half of them",
    world: World::Guest(Guest { cpus: 2, memory_mib: 2048, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const CAUSE: &str = "php-fpm.memory-overcommitted";
const RIVALS: &[&str] = &["php-fpm.backlog-short", "sockets.unix-queue-overflow"];
/// The most workers, and the visitors who come at once.
const MOST: u32 = 40;
/// Visitors who are there all the time.
const FEW: usize = 6;
/// Holds memory for as long as a slow query takes.
const PAGE: &str = "<?php $x = str_repeat('x', 70 << 20); usleep(1500000); echo 'ok ', strlen($x);\n";

fn open(most: u32) -> Result<Machine> {
    let machine = Machine::guest()?;
    let setup = Setup {
        pool: pool(&format!(
            "pm = dynamic\npm.max_children = {most}\npm.start_servers = 6\npm.min_spare_servers = 4\n\
             pm.max_spare_servers = 8\nlisten.backlog = 256\n"
        )),
        server: server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    setup.lay_out(&machine)?;
    machine.start_anew()?;
    machine.demand("/index.php", "ok")?;
    Ok(machine)
}

/// Workers that the kernel kills in two crowds.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    let killed = || -> Result<usize> {
        let log = machine.site.read("/var/log/php8.2-fpm.log")?;
        Ok(log.lines().filter(|line| line.contains("exited on signal 9")).count())
    };
    let before = killed()?;
    for _ in 0..2 {
        machine.burst("/index.php", MOST as usize)?;
    }
    Ok([count(killed()? - before)])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", FEW).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(1500),
    };
    let metric = Metric::falls_to(0.0, "workers that the kernel kills in two crowds");
    course.take(score, || open(8), || open(MOST), [metric], measure).map(drop)
}
