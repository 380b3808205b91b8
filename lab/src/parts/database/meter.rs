//! What a server did during a stretch of time, from its process and its counters.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::Database;
use crate::faults::{Attempt, FaultError, Result};
use crate::machine::count;

/// From one look at the process to the next.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// The clock ticks of a second in `/proc` (sysconf(3), `_SC_CLK_TCK`), as every Debian kernel has them.
const TICKS_PER_S: f64 = 100.0;

/// What a server did meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// How long it was.
    pub seconds: f64,
    /// CPU time of the server, user and kernel.
    pub cpu_s: f64,
    /// The most threads that it had, looked at every 20 ms.
    pub threads: f64,
    /// The most of its threads that ran or waited for a CPU at once.
    pub runnable: f64,
    /// Context switches of the whole machine, which others share.
    pub switches: f64,
    /// Connections that it refused for want of `max_connections` (error 1040).
    pub refused: f64,
    /// Pages that InnoDB read from files.
    pub page_reads: f64,
    /// Pages that InnoDB was asked for.
    pub page_requests: f64,
}

/// Does some work, and tells what the server did meanwhile.
pub fn meanwhile<T>(database: &Database, work: impl FnOnce() -> Result<T>) -> Result<(T, Measured)> {
    let process = database.process()?;
    let counters =
        ["Connection_errors_max_connections", "Innodb_buffer_pool_reads", "Innodb_buffer_pool_read_requests"];
    let read = || -> Result<Vec<f64>> { counters.iter().map(|name| database.counter(name)).collect() };
    let (begun, before, cpu, switches) = (Instant::now(), read()?, cpu_s(process)?, switches()?);
    let enough = AtomicBool::new(false);
    let (done, threads, runnable) = thread::scope(|scope| {
        let looks = scope.spawn(|| most_threads(process, &enough));
        let done = work();
        enough.store(true, Relaxed);
        let (threads, runnable) = looks.join().unwrap_or_default();
        (done, threads, runnable)
    });
    let (seconds, cpu_s) = (begun.elapsed().as_secs_f64(), cpu_s(process)? - cpu);
    let switches = self::switches()? - switches;
    let changed: Vec<f64> = read()?.iter().zip(&before).map(|(after, before)| after - before).collect();
    let [refused, page_reads, page_requests] = changed[..] else {
        return Err(FaultError::new("a counter of the server is missing"));
    };
    let (threads, runnable) = (count(threads), count(runnable));
    Ok((done?, Measured { seconds, cpu_s, threads, runnable, switches, refused, page_reads, page_requests }))
}

fn most_threads(process: u32, enough: &AtomicBool) -> (usize, usize) {
    let (mut threads, mut runnable) = (0, 0);
    while !enough.load(Relaxed) {
        if let Ok(text) = fs::read_to_string(format!("/proc/{process}/status")) {
            let now = text.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok());
            threads = threads.max(now.unwrap_or(0));
        }
        runnable = runnable.max(running(process));
        thread::sleep(BETWEEN_LOOKS);
    }
    (threads, runnable)
}

/// Threads in state R. Looking at thousands would cost more than what is looked at, so that every 16th is, and counts as 16,
/// where there are more than 256.
fn running(process: u32) -> usize {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let tasks: Vec<_> = tasks.flatten().map(|task| task.path().join("stat")).collect();
    let step = if tasks.len() > 256 { 16 } else { 1 };
    let runs = |path: &std::path::PathBuf| {
        fs::read_to_string(path).is_ok_and(|text| {
            text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
        })
    };
    step * tasks.iter().step_by(step).filter(|path| runs(path)).count()
}

/// CPU time of a process so far, with that of threads that have ended.
pub fn cpu_s(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    // Fields 14 and 15 of proc_pid_stat(5), of which two precede these.
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_S)
}

fn switches() -> Result<f64> {
    let path = "/proc/stat";
    let text = fs::read_to_string(path).attempt(|| format!("read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("ctxt "));
    line.and_then(|number| number.trim().parse().ok()).ok_or_else(|| FaultError::new("no ctxt in /proc/stat"))
}
