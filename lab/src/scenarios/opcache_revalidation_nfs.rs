//! Code lies on a network file system, and OPcache asks for the time of every file just when the client has forgotten it.

use std::fmt::Write;
use std::fs;
use std::thread;
use std::time::Duration;

use super::opcache_revalidation::FILES;
use crate::faults::wait::wait_within;
use crate::faults::{Attempt, Result};
use crate::inside::settle;
use crate::machine::{Machine, ROOT, Setup, pool, server};
use crate::parts::course::{Course, Metric};
use crate::parts::nfs::{Client, serve};
use crate::parts::stat::file_name;
use crate::scenario::{Guest, Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "opcache-revalidation-nfs",
    title: "every few seconds a page stalls: OPcache looks at 180 files on a slow NFS server",
    world: World::Guest(Guest { cpus: 2, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const CAUSE: &str = "opcache.revalidation-storm";
const RIVALS: &[&str] = &["nfs.slot-exhaustion", "nfs.unresponsive-server", "opcache.memory-full"];
/// What the server takes for each question.
const DELAY: Duration = Duration::from_millis(5);
/// OPcache looks this often, and the client remembers as long or less.
const PERIOD: Duration = Duration::from_secs(6);
const REMEMBERED: &str = "acregmin=3,acregmax=5,acdirmin=3,acdirmax=5";
const LOOKING: &str = "opcache.file_update_protection = 0\nopcache.validate_timestamps = 1\n\
                       opcache.revalidate_freq = 6\n";
const TRUSTING: &str = "opcache.file_update_protection = 0\nopcache.validate_timestamps = 0\n";
/// Periods over which the longest page is looked for.
const PERIODS: u32 = 3;

fn open(ini: &str) -> Result<Machine> {
    let machine = Machine::guest()?;
    let setup = Setup {
        pool: pool("pm = static\npm.max_children = 4\n"),
        server: server(""),
        ini: ini.to_owned(),
        pages: vec![],
    };
    setup.lay_out(&machine)?;
    machine.start_anew()?;
    // The first page reads all files, which may take longer than a visitor waits.
    wait_within(Duration::from_secs(60), "a page of files that have been read", || {
        Ok((machine.ask("/index.php")?.status == Some(200)).then_some(()))
    })?;
    Ok(machine)
}

/// The code, on a server that grants no delegations: with one, a client need not ask at all.
fn export() -> Result<()> {
    serve(FILES, DELAY)?;
    let leases = "/proc/sys/fs/leases-enable";
    fs::write(leases, "0").attempt(|| format!("write {leases}"))?;
    let mut index = "<?php\n".to_owned();
    for file in 0..FILES {
        let _ = writeln!(index, "require __DIR__ . '/{}';", file_name(file));
    }
    index.push_str("echo 'ok';\n");
    fs::write("/srv/export/index.php", index).attempt(|| "write the page".to_owned())
}

/// The longest page of some periods in ms.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    for _ in 0..2 {
        machine.demand("/index.php", "ok")?;
    }
    let mut longest = Duration::ZERO;
    for _ in 0..PERIODS {
        thread::sleep(PERIOD + Duration::from_secs(1));
        longest = longest.max(machine.demand("/index.php", "ok")?.total);
    }
    Ok([longest.as_secs_f64() * 1000.0])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "ok").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    export()?;
    let around = Machine::guest()?;
    let _client = Client::mount(&around.site, REMEMBERED)?;
    score.remarks.push(format!("{ROOT} is mounted with {REMEMBERED}, the server answers after {DELAY:?}"));
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "15s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(200),
    };
    let metric = Metric::falls_to(0.3, "the longest page, ms");
    course.take(score, || open(TRUSTING), || open(LOOKING), [metric], measure).map(drop)
}
