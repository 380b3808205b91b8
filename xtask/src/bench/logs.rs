//! Counting an access log: ours beside GoAccess and an awk script, over the same file, in turns.
//!
//! GoAccess does more with each line (visitors, browsers, referrers), awk less (it counts one field): they are what a person
//! would take instead. Each is one process; the file is in the page cache for all.

mod generate;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use super::clock;
use crate::packages;
use crate::run::{command, exists, finish};
use generate::{FORMAT, Log};

/// What this measurement is called on the command line.
pub(super) const WORLD: &str = "logs";
/// How large the log is, in bytes.
const BYTES: u64 = 1_000_000_000;
const OURS: &str = "narrows, the reader of access logs";
const AWK: &str = "awk, counting statuses";
const GOACCESS: &str = "goaccess, JSON report";

/// What is measured, and how it is started.
struct Rival {
    name: &'static str,
    command: Command,
}

/// Gets the others, measures and prints.
pub(super) fn run(rounds: u32) -> anyhow::Result<()> {
    if exists("apt-get") {
        packages::install(&[("goaccess", "goaccess"), ("awk", "mawk")])?;
    }
    finish(command("cargo", &["build", "--release", "--package", "stack", "--example", "access_log"]))?;
    let log = Log::write(BYTES)?;
    println!("\n{} lines, {} MB\n", log.lines, log.bytes / 1_000_000);
    let mut wall: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut cpu: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut peak: BTreeMap<&str, u64> = BTreeMap::new();
    for round in 0..rounds {
        let mut counted = Vec::new();
        for mut rival in rivals(&log.path).into_iter().filter(Rival::is_there) {
            let start = Instant::now();
            rival.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child =
                rival.command.spawn().with_context(|| format!("could not start {}", rival.name))?;
            let mut output = String::new();
            let pipe = child.stdout.as_mut().context("it has no output")?;
            std::io::Read::read_to_string(pipe, &mut output)?;
            let used = clock::wait(&child)?;
            if used.exit != Some(0) {
                bail!("{} ended with {:?}", rival.name, used.exit);
            }
            wall.entry(rival.name).or_default().push(start.elapsed().as_secs_f64());
            cpu.entry(rival.name).or_default().push(used.cpu.as_secs_f64());
            peak.insert(rival.name, used.peak_bytes);
            if rival.name != GOACCESS {
                counted.push(statuses(rival.name, &output)?);
            }
        }
        if let [ours, theirs] = &counted[..]
            && ours != theirs
        {
            bail!("round {round}: ours counted {ours:?}, awk {theirs:?}");
        }
    }
    print(&log, &wall, &cpu, &peak);
    Ok(())
}

fn rivals(log: &Path) -> Vec<Rival> {
    let mut ours = Command::new(crate::root().join("target/release/examples/access_log"));
    ours.arg(log).arg(FORMAT);
    let mut awk = Command::new("awk");
    awk.args(["{n[$9]++} END {for (s in n) print s, n[s]}"]).arg(log);
    let mut goaccess = Command::new("goaccess");
    goaccess.arg(log).args(["--no-global-config", "--no-progress", "-o", "json"]);
    goaccess.args(["--date-format=%d/%b/%Y", "--time-format=%H:%M:%S"]);
    goaccess.arg(r#"--log-format=%h - %^ [%d:%t %^] "%r" %s %b "%R" "%u" %T "%^" "%^" %^"#);
    vec![
        Rival { name: OURS, command: ours },
        Rival { name: AWK, command: awk },
        Rival { name: GOACCESS, command: goaccess },
    ]
}

impl Rival {
    fn is_there(&self) -> bool {
        self.name == OURS || self.command.get_program().to_str().is_some_and(exists)
    }
}

/// Requests by status, as ours and awk print them.
fn statuses(name: &str, output: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    if name == OURS {
        let value: serde_json::Value = serde_json::from_str(output)?;
        if value["unparsed"] != 0 {
            bail!("ours did not understand {} lines", value["unparsed"]);
        }
        return Ok(serde_json::from_value(value["status"].clone())?);
    }
    let pairs = output.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(status, count)| Ok((status.to_owned(), count.parse()?))).collect()
}

fn print(
    log: &Log,
    wall: &BTreeMap<&str, Vec<f64>>,
    cpu: &BTreeMap<&str, Vec<f64>>,
    peak: &BTreeMap<&str, u64>,
) {
    let megabytes = log.bytes as f64 / 1e6;
    let ours = cpu.get(OURS).map_or(f64::NAN, |seconds| super::load::median(seconds));
    println!(
        "| | MB per CPU second | MB/s | CPU s | range | peak MB | its CPU ÷ ours |\n|---|---|---|---|---|---|---|"
    );
    for name in [OURS, AWK, GOACCESS] {
        let (Some(wall), Some(cpu)) = (wall.get(name), cpu.get(name)) else { continue };
        let (least, most) = super::load::range(cpu);
        let (wall, cpu) = (super::load::median(wall), super::load::median(cpu));
        let peak = peak.get(name).copied().unwrap_or_default() as f64 / 1e6;
        println!(
            "| {name} | {:.0} | {:.0} | {cpu:.2} | {least:.2} – {most:.2} | {peak:.0} | {:.1} |",
            megabytes / cpu,
            megabytes / wall,
            cpu / ours
        );
    }
}
