//! A database and PHP-FPM share a machine, and each is given memory as if it had the machine to itself.

use std::thread;
use std::time::Duration;

use crate::faults::{Attempt, FaultError, Result};
use crate::machine::{Machine, Setup, pool, server};
use crate::parts::course::Metric;
use crate::parts::database::course::Course;
use crate::parts::database::{Database, wordpress};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "buffer-pool-starves-php",
    title: "three quarters of the memory for InnoDB, beside a pool of PHP-FPM that may take half of it",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "mysql.buffer-pool-starves-php";
const RIVALS: &[&str] = &["mysql.buffer-pool-small", "php-fpm.backlog-short"];
/// What a worker holds while it makes a page, in MiB.
const WORKER_MIB: u64 = 70;
/// Holds memory for as long as a slow query takes.
const PAGE: &str = "<?php $x = str_repeat('x', 70 << 20); usleep(3000000); echo 'ok ', strlen($x);\n";
/// Visitors who are there all the time, half of them half a page after the others: some always hold their memory.
const FEW: usize = 16;
const HALF: Duration = Duration::from_millis(1500);

/// All memory, in MiB.
fn memory_mib() -> Result<u64> {
    let path = "/proc/meminfo";
    let text = std::fs::read_to_string(path).attempt(|| format!("read {path}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let kib: u64 =
        total.and_then(|kib| kib.trim().parse().ok()).ok_or_else(|| FaultError::new("no MemTotal"))?;
    Ok(kib / 1024)
}

/// So many eighths of the memory as the buffer pool. InnoDB only reserves it, until there are data to fill it.
fn options(eighths: u64) -> Result<String> {
    Ok(format!("innodb_buffer_pool_size = {}M\n", memory_mib()? * eighths / 8))
}

fn serve(machine: &Machine) -> Result<()> {
    let most = memory_mib()? / 2 / WORKER_MIB;
    let setup = Setup {
        pool: pool(&format!(
            "pm = dynamic\npm.max_children = {most}\npm.start_servers = 20\npm.min_spare_servers = 4\n\
             pm.max_spare_servers = 24\nlisten.backlog = 32\n"
        )),
        server: server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    setup.lay_out(machine)?;
    machine.start()?;
    machine.demand("/index.php", "ok").map(drop)
}

/// What the buffer pool and the workers may take at most, in multiples of all memory. Nobody makes them: the machine is not
/// ours alone.
#[expect(clippy::cast_precision_loss, reason = "MiB of one machine")]
fn measure(database: &Database) -> Result<[f64; 1]> {
    let shown = database.machine.run(&["sh", "-c", "php-fpm8.2 -tt 2>&1"])?;
    let most = shown.lines().find_map(|line| line.split_once("pm.max_children = "));
    let most: u64 = most
        .and_then(|(_, most)| most.trim().parse().ok())
        .ok_or_else(|| FaultError::new("PHP-FPM tells no pm.max_children"))?;
    let pool_mib = database.number("SELECT @@innodb_buffer_pool_size")? / f64::from(1 << 20);
    Ok([(pool_mib + (most * WORKER_MIB) as f64) / memory_mib()? as f64])
}

fn visit(database: &Database) -> Result<()> {
    let visits = || (0..3).try_for_each(|_| database.machine.burst("/index.php", FEW / 2).map(drop));
    thread::scope(|scope| {
        let others = scope.spawn(visits);
        thread::sleep(HALF);
        visits()?;
        others.join().map_err(|_| FaultError::new("visitors panicked"))?
    })
}

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(&options(1)?)?;
    wordpress::newspaper(&database, 10_000)?;
    serve(&database.machine)?;
    let course = Course { cause: CAUSE, rivals: RIVALS, window: "8s", load: &visit, every: Duration::ZERO };
    course.look_at_twin(score, &database)?;
    database.restart_with(&options(6)?)?;
    let metric = Metric::falls_to(0.8, "memory that InnoDB and PHP-FPM may take, of all there is");
    course.take(score, &database, [metric], measure)?;
    score.remarks.push(
        "a ratio: InnoDB reserves its pool and has no data to fill it, so that nothing runs out".to_owned(),
    );
    Ok(())
}
