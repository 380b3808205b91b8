//! Nginx keeps connections to PHP-FPM open, and each holds a worker that then serves nobody else.

use std::time::Duration;

use crate::faults::Result;
use crate::http_burst::with_status;
use crate::machine::{Machine, SOCKET, Setup, count, pool, server, server_to};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "keepalive-pins",
    title: "visitors wait in vain: kept connections hold all four workers of PHP-FPM",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "php-fpm.keepalive-pins-workers";
const RIVALS: &[&str] = &["php-fpm.backlog-short", "php-fpm.pool-saturated", "sockets.unix-queue-overflow"];
/// Three times the workers.
const CROWD: usize = 12;
/// Visitors are let go after this.
const TIMEOUTS: &str = "        fastcgi_read_timeout 4s;\n";
const PAGE: &str = "<?php usleep(50000); echo 'ok';\n";

fn setup(server: String) -> Setup {
    Setup {
        pool: pool("pm = static\npm.max_children = 4\n"),
        server,
        pages: Setup::page(PAGE),
        ..Setup::default()
    }
}

/// Visitors of three crowds who got no page.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    let mut lost = 0;
    for _ in 0..3 {
        let answers = machine.burst("/index.php", CROWD)?;
        lost += answers.len() - with_status(&answers, 200);
    }
    Ok([count(lost)])
}

fn crowd(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", CROWD).map(drop)
}

/// No more visitors than workers.
fn few(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", 3).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let upstream = format!("upstream php {{\n    server unix:{SOCKET};\n    keepalive 16;\n}}\n\n");
    let kept = format!("        fastcgi_keep_conn on;\n{TIMEOUTS}");
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "10s",
        load: &crowd,
        calm: Some(&few),
        every: Duration::from_secs(2),
    };
    let metric = Metric::falls_to(0.0, &format!("visitors without a page, of 3 × {CROWD}"));
    course
        .take(
            score,
            || Machine::serving(&setup(server(TIMEOUTS))),
            || Machine::serving(&setup(server_to("php", &upstream, &kept))),
            [metric],
            measure,
        )
        .map(drop)
}
