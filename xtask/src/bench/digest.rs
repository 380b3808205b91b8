//! Digesting a log of slow queries: ours on one thread and on two beside pt-query-digest, over the same synthetic log, in turns.
//!
//! pt-query-digest is the only other that groups the logs of all servers rightly. It takes minutes for the whole log, so it is
//! given the beginning of it unless told otherwise; speeds are bytes by CPU time, which do not depend on the length.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use super::clock;
use super::load::{median, range};
use crate::packages;
use crate::run::{command, exists, finish};

/// What this measurement is called on the command line.
pub(super) const NAME: &str = "digest";
/// The size of the log, in MiB, and its size in bytes, which the generator's fixed seed decides.
const LOG_MB: u32 = 768;
const LOG_BYTES: u64 = 805_307_391;
/// How much of it pt-query-digest is given, in bytes.
const SLICE_BYTES: u64 = 50 << 20;
const GENERATOR: &str = "crates/querylog/tests/generator/slow_log.py";
const TOOLKIT: &str = "pt-query-digest";
/// What is promised: megabytes (10⁶) a second of one thread, of two, the peak of memory, and how many times faster than pt-query-digest.
const TARGETS: (f64, f64, f64, f64) = (500.0, 1000.0, 56.0, 65.0);

/// What share of two CPUs it must have got to be judged by the clock on the wall.
const ENOUGH: f64 = 0.85;

/// What one of them took.
#[derive(Debug, Default)]
struct Took {
    wall_s: Vec<f64>,
    cpu_s: Vec<f64>,
    peak_bytes: u64,
    /// Events and classes.
    counts: (u64, u64),
}

/// Makes the log, measures and prints.
pub(super) fn run(rounds: u32, full: bool) -> anyhow::Result<()> {
    if exists("apt-get") {
        packages::install(&[(TOOLKIT, "percona-toolkit"), ("python3", "python3")])?;
    }
    finish(command("cargo", &["build", "--release", "--package", "querylog", "--example", "digest_log"]))?;
    let log = std::env::temp_dir().join("narrows-bench-slow.log");
    if std::fs::metadata(&log).map_or(0, |metadata| metadata.len()) != LOG_BYTES {
        let mut generate = command("python3", &[GENERATOR, "--flavor", "mysql8", "--size-mb"]);
        generate.arg(LOG_MB.to_string()).arg("--out").arg(&log);
        finish(generate)?;
    }
    let slice = if full { log.clone() } else { slice(&log)? };
    let (mut one, mut two, mut theirs) = (Took::default(), Took::default(), Took::default());
    for _ in 0..rounds {
        measure(&mut ours(&log, 1), &mut one, &our_counts)?;
        measure(&mut ours(&log, 2), &mut two, &our_counts)?;
    }
    let mut check = Took::default();
    measure(&mut ours(&slice, 1), &mut check, &our_counts)?;
    if exists(TOOLKIT) {
        let mut toolkit = Command::new(TOOLKIT);
        toolkit.args(["--no-version-check", "--output", "json", "--limit", "1"]).arg(&slice);
        measure(&mut toolkit, &mut theirs, &their_counts)?;
    }
    print(&log, &slice, &[&one, &two, &theirs])?;
    if one.counts != two.counts || (!theirs.cpu_s.is_empty() && check.counts != theirs.counts) {
        bail!(
            "they counted differently: {:?} on one thread, {:?} on two; of what {TOOLKIT} was given, {:?}, and it {:?}",
            one.counts,
            two.counts,
            check.counts,
            theirs.counts
        );
    }
    println!(
        "\nEvents and classes: {:?}; of what {TOOLKIT} was given, {:?} by both.",
        one.counts, check.counts
    );
    println!("The log stays in {} for the next time.", log.display());
    Ok(())
}

fn ours(log: &Path, threads: u32) -> Command {
    let mut ours = Command::new(crate::root().join("target/release/examples/digest_log"));
    ours.arg(log).arg(threads.to_string());
    ours
}

/// The beginning of a log, to the end of a record. It is never in memory as a whole: a child's peak is not below its parent's.
fn slice(log: &Path) -> anyhow::Result<PathBuf> {
    let path = log.with_extension("slice.log");
    let mut from = File::open(log).with_context(|| format!("could not read {}", log.display()))?;
    let mut to = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
    std::io::copy(&mut (&from).take(SLICE_BYTES), &mut to)?;
    let mut rest = vec![0; 64 << 10];
    from.read_exact(&mut rest)?;
    let end =
        rest.windows(10).position(|window| window == b";\n# Time: ").context("the log has no records")?;
    to.write_all(rest.get(..end + 2).unwrap_or_default())?;
    Ok(path)
}

/// Runs one of them to its end.
fn measure(
    command: &mut Command,
    took: &mut Took,
    counts: &dyn Fn(&str) -> Option<(u64, u64)>,
) -> anyhow::Result<()> {
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("could not start {command:?}"))?;
    let mut output = String::new();
    child.stdout.as_mut().context("it has no output")?.read_to_string(&mut output)?;
    let used = clock::wait(&child)?;
    if used.exit != Some(0) {
        bail!("{command:?} ended with {:?}", used.exit);
    }
    took.wall_s.push(start.elapsed().as_secs_f64());
    took.cpu_s.push(used.cpu.as_secs_f64());
    took.peak_bytes = took.peak_bytes.max(used.peak_bytes);
    took.counts = counts(&output).with_context(|| format!("{command:?} printed no counts"))?;
    Ok(())
}

/// `events 5 classes 2`
fn our_counts(output: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = output.lines().next()?.split(' ').collect();
    let ["events", events, "classes", classes] = words[..] else { return None };
    Some((events.parse().ok()?, classes.parse().ok()?))
}

fn their_counts(output: &str) -> Option<(u64, u64)> {
    let json: serde_json::Value = serde_json::from_str(output).ok()?;
    let global = json.get("global")?;
    Some((global.get("query_count")?.as_u64()?, global.get("unique_query_count")?.as_u64()?))
}

fn print(log: &Path, slice: &Path, all: &[&Took; 3]) -> anyhow::Result<()> {
    let size = |path: &Path| -> anyhow::Result<f64> { Ok(std::fs::metadata(path)?.len() as f64 / 1e6) };
    let (log, slice) = (size(log)?, size(slice)?);
    let rows = [("narrows, one thread", log), ("narrows, two threads", log), (TOOLKIT, slice)];
    let speed = |megabytes: f64, seconds: &[f64]| megabytes / median(seconds);
    let theirs = speed(slice, &all[2].cpu_s);
    println!("\n| | MB | MB per CPU second | MB/s | CPU s | range | peak RSS, MB | × {TOOLKIT} |");
    println!("|---|---|---|---|---|---|---|---|");
    for ((name, megabytes), took) in rows.iter().zip(all).filter(|(_, took)| !took.cpu_s.is_empty()) {
        let (least, most) = range(&took.cpu_s);
        let by_cpu = speed(*megabytes, &took.cpu_s);
        println!(
            "| {name} | {megabytes:.0} | {by_cpu:.0} | {:.0} | {:.2} | {least:.2} – {most:.2} | {:.1} | {:.1} |",
            speed(*megabytes, &took.wall_s),
            median(&took.cpu_s),
            took.peak_bytes as f64 / 1e6,
            by_cpu / theirs,
        );
    }
    let [one, two, _] = all;
    let met = |is: bool| if is { "met" } else { "MISSED" };
    let (by_one, by_two) = (log / range(&one.cpu_s).0, log / range(&two.wall_s).0);
    let share = range(&two.cpu_s).0 / range(&two.wall_s).0 / 2.0;
    println!("\nTargets, by the best of all rounds");
    println!(
        "  {:<6} one thread: {by_one:.0} MB per CPU second of at least {}",
        met(by_one >= TARGETS.0),
        TARGETS.0
    );
    if by_two < TARGETS.1 && share < ENOUGH {
        println!(
            "  unsure two threads: {by_two:.0} MB/s of at least {}, but other work left it {:.0} % of two CPUs; both would give {:.0}",
            TARGETS.1,
            share * 100.0,
            2.0 * log / range(&two.cpu_s).0
        );
    } else {
        println!("  {:<6} two threads: {by_two:.0} MB/s of at least {}", met(by_two >= TARGETS.1), TARGETS.1);
    }
    let peak = one.peak_bytes.max(two.peak_bytes) as f64 / 1e6;
    println!(
        "  {:<6} memory: {peak:.1} MB resident, heap and all, of at most {}",
        met(peak <= TARGETS.2),
        TARGETS.2
    );
    if theirs.is_finite() && theirs > 0.0 {
        let ratio = by_one / theirs;
        println!(
            "  {:<6} {TOOLKIT}: {ratio:.0} times its speed on one thread, of at least {}",
            met(ratio >= TARGETS.3),
            TARGETS.3
        );
    }
    Ok(())
}
