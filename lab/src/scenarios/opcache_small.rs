//! OPcache has less memory than the code needs, so that PHP compiles most of it in every request.

use std::time::Duration;

use crate::faults::{Attempt, FaultError, Result};
use crate::machine::Machine;
use crate::parts::composer_app::{Autoload, Size};
use crate::parts::composer_machine::open;
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "opcache-small",
    title: "700 classes and 8 MB of OPcache: most of the code is compiled in every request",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "opcache.memory-full";
const RIVALS: &[&str] = &["opcache.keys-exhausted", "composer.autoloader-not-authoritative"];
const COMMON: &str = "opcache.validate_timestamps = 0\n\
                      opcache.interned_strings_buffer = 4\n";
/// Twice the memory is enough for so many, which is what narrows can tell from a memory that is full.
const SIZE: Size = Size { classes: 700, absent: 0 };
/// Requests over which compilations are counted.
const REQUESTS: u32 = 5;
/// Tells the misses since the start.
const STATUS: &str = "<?php header('Content-Type: text/plain'); $s = opcache_get_status(false)['opcache_statistics']; \
                      echo 'misses=', $s['misses'], ' restarts=', $s['oom_restarts'];\n";

fn open_with(megabytes: u32) -> Result<Machine> {
    let ini = format!("{COMMON}opcache.memory_consumption = {megabytes}\n");
    let machine = open(SIZE, Autoload::Authoritative, 4, &ini)?;
    machine.site.write("/srv/shop/public/status.php", STATUS)?;
    Ok(machine)
}

fn misses(machine: &Machine) -> Result<f64> {
    let told = machine.demand("/status.php", "misses=")?.body;
    let number = told.split_once("misses=").and_then(|(_, rest)| rest.split(' ').next());
    let number = number.ok_or_else(|| FaultError::new(format!("no misses in {told}")))?;
    number.parse().attempt(|| format!("understand {told}"))
}

/// Files that are compiled in a request when all have been asked for before.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    for _ in 0..4 {
        visit(machine)?;
    }
    let before = misses(machine)?;
    for _ in 0..REQUESTS {
        visit(machine)?;
    }
    Ok([(misses(machine)? - before) / f64::from(REQUESTS)])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "classes=700").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "8s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(300),
    };
    let metric = Metric::falls_to(0.01, "files compiled in a request");
    course.take(score, || open_with(256), || open_with(8), [metric], measure).map(drop)
}
