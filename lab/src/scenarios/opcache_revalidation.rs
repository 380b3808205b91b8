//! OPcache asks for the time of every file of a page again and again, and on a local disk that costs next to nothing: it is
//! the wrong cause to name, however many the questions are.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use crate::faults::Result;
use crate::http_burst::meanwhile;
use crate::machine::{FPM, INI, Machine, ROOT, Setup, pool, server};
use crate::parts::path_calls;
use crate::scenario::{Scenario, World};
use crate::score::{Effect, Expected, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "opcache-revalidation",
    title: "a page of 180 local files asks the file system about all of them, which is not what holds it back",
    world: World::Namespaces,
    quick: false,
    run,
};

const NOT_IT: &[&str] = &["opcache.revalidation-storm", "opcache.memory-full", "opcache.keys-exhausted"];
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
    let machine = open(LOOKING)?;
    let [looking] = measure(&machine)?;
    let watched =
        || meanwhile(Duration::from_millis(100), || visit(&machine), || machine.site.check(&["--for", "8s"]));
    score.judge_rivals(&watched()?, NOT_IT);
    let with = |ini: &str| {
        machine.site.write(INI, ini)?;
        machine.service(FPM, "restart")?;
        measure(&machine)
    };
    let ([trusting], [undone]) = (with(TRUSTING)?, with(LOOKING)?);
    score.effects.push(Effect {
        change: "by hand, opcache.validate_timestamps = 0".to_owned(),
        metric: format!("questions about {FILES} included files, a page"),
        before: looking,
        after: trusting,
        undone: Some(undone),
        expected: Expected::FallsTo(0.0),
    });
    score.restored = Some(undone == looking);
    Ok(())
}
