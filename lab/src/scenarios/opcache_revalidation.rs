//! OPcache asks for the time of every file of a page again and again, although files change with deployments only.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use crate::faults::Result;
use crate::machine::{Machine, ROOT, Setup, pool, server};
use crate::parts::course::{Course, Metric};
use crate::parts::path_calls;
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "opcache-revalidation",
    title: "each page of 180 files asks the file system about all of them: OPcache looks for changes",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "opcache.revalidation-storm";
const RIVALS: &[&str] = &["opcache.memory-full", "opcache.keys-exhausted"];
/// Files that a page includes.
pub(super) const FILES: usize = 180;
/// Longer than OPcache believes what it saw (`opcache.revalidate_freq`, 2 s by default).
const EXPIRY: Duration = Duration::from_millis(3100);
const LOOKING: &str = "opcache.file_update_protection = 0\nopcache.validate_timestamps = 1\n\
                       opcache.revalidate_freq = 0\n";
const TRUSTING: &str = "opcache.file_update_protection = 0\nopcache.validate_timestamps = 0\n";

/// A page and what it includes.
pub(super) fn pages() -> Vec<(String, String)> {
    let mut index = "<?php\n".to_owned();
    let mut pages = vec![];
    for file in 0..FILES {
        let name = format!("inc/d{}/f{file}.php", file % 12);
        let _ = writeln!(index, "require __DIR__ . '/{name}';");
        pages.push((name, format!("<?php function f{file}() {{ return {file}; }}\n")));
    }
    index.push_str("echo 'ok';\n");
    pages.push(("index.php".to_owned(), index));
    pages
}

fn open(ini: &str) -> Result<Machine> {
    Machine::serving(&Setup {
        pool: pool("pm = static\npm.max_children = 1\n"),
        server: server(""),
        ini: ini.to_owned(),
        pages: pages(),
    })
}

/// Questions about included files that a page costs.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    for _ in 0..2 {
        machine.demand("/index.php", "ok")?;
    }
    thread::sleep(EXPIRY);
    let below = format!("{ROOT}/inc/");
    let calls = path_calls::counted(machine, &below, || machine.demand("/index.php", "ok").map(drop))?;
    Ok([calls.calls])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "ok").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(100),
    };
    let metric = Metric::falls_to(0.0, "questions about included files, a page");
    course.take(score, || open(TRUSTING), || open(LOOKING), [metric], measure).map(drop)
}
