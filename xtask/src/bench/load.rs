//! Load generators beside each other: what each can offer, and whether its 99th percentile tells of a stall.
//!
//! Both against Debian's Nginx on this machine. They take turns, so that what else runs here meets all of them.

mod server;
mod tools;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::clock;
use crate::packages;
use crate::run::{command, exists, finish};
use server::Nginx;
use tools::{TOOLS, Tool};

/// What this measurement is called on the command line.
pub(super) const WORLD: &str = "load";
/// Seconds of one saturation.
const SECONDS: u32 = 5;
/// Connections of a saturation.
const CONNECTIONS: u32 = 64;
/// Requests per second while the server is stopped once …
const RATE: u32 = 1000;
/// … and for how many seconds.
const STALL_SECONDS: u32 = 10;
/// How long the server is stopped.
const STALL: Duration = Duration::from_secs(1);

const PACKAGES: &[(&str, &str)] = &[
    ("nginx", "nginx-light"),
    ("wrk", "wrk"),
    ("hey", "hey"),
    ("ab", "apache2-utils"),
    ("h2load", "nghttp2-client"),
];

/// Gets the others, measures and prints.
pub(super) fn run(rounds: u32) -> anyhow::Result<()> {
    if exists("apt-get") {
        packages::install(PACKAGES)?;
    }
    oha();
    measure(rounds)
}

/// Measures what there is, and prints.
pub(super) fn measure(rounds: u32) -> anyhow::Result<()> {
    let tools: Vec<&Tool> = TOOLS.iter().filter(|tool| tool.is_installed()).collect();
    let nginx = Nginx::start()?;
    println!("\n{}", before()?);
    saturate(&tools, &nginx, rounds)?;
    stall(&tools, &nginx, rounds)
}

/// oha is in no Debian package. Without it, the others are measured.
fn oha() {
    if exists("oha") || tools::oha().is_file() {
        return;
    }
    let mut install =
        command("nice", &["-n", "19", "cargo", "install", "--locked", "--jobs", "2", "oha", "--root"]);
    install.arg(tools::peers());
    if let Err(error) = finish(install) {
        println!("oha is not measured: {error}");
    }
}

/// What else this machine does, before anything is started.
fn before() -> anyhow::Result<String> {
    let (busy, all) = super::outside::cpu_time()?;
    std::thread::sleep(Duration::from_secs(2));
    let (busy_then, all_then) = super::outside::cpu_time()?;
    let share = 100.0 * (busy_then - busy) / (all_then - all).max(1.0);
    let load = std::fs::read_to_string("/proc/loadavg").context("could not read /proc/loadavg")?;
    let load: Vec<_> = load.split_whitespace().take(3).collect();
    let cpus = std::thread::available_parallelism()?;
    Ok(format!("{cpus} CPUs, {share:.0} % busy with other things, load average {}", load.join(" ")))
}

/// Figures of one tool, a round each.
#[derive(Debug, Default)]
struct Saturated {
    per_s: Vec<f64>,
    cpu_us: Vec<f64>,
}

fn saturate(tools: &[&Tool], nginx: &Nginx, rounds: u32) -> anyhow::Result<()> {
    let mut figures: BTreeMap<&str, Saturated> = BTreeMap::new();
    // What an open loop must offer to saturate: more than the best of the others got, once that is known.
    let mut most = 20_000.0_f64;
    for _ in 0..rounds {
        for tool in tools {
            let child = start((tool.saturate)(&nginx.url, most * 1.3))?;
            let (text, cpu) = end(child)?;
            let per_s = (tool.per_s)(&text).with_context(|| format!("{} said no rate: {text}", tool.name))?;
            let requests = (tool.requests)(&text).unwrap_or(per_s * f64::from(SECONDS));
            most = most.max(per_s);
            let figures = figures.entry(tool.name).or_default();
            figures.per_s.push(per_s);
            figures.cpu_us.push(cpu.as_secs_f64() * 1e6 / requests.max(1.0));
        }
    }
    println!("\n1 KiB from nginx, {CONNECTIONS} kept connections, {SECONDS} s, median of {rounds}\n");
    println!("| | requests/s | range | narrows ÷ it | CPU µs/request |\n|---|---|---|---|---|");
    let ours = figures.get(tools::OURS).map_or(0.0, |figures| median(&figures.per_s));
    for (name, figures) in &figures {
        let (least, most) = range(&figures.per_s);
        let per_s = median(&figures.per_s);
        let cpu = median(&figures.cpu_us);
        println!("| {name} | {per_s:.0} | {least:.0} – {most:.0} | {:.2} | {cpu:.1} |", ours / per_s);
    }
    Ok(())
}

fn stall(tools: &[&Tool], nginx: &Nginx, rounds: u32) -> anyhow::Result<()> {
    println!(
        "\n{RATE} requests/s for {STALL_SECONDS} s, the workers of nginx stopped for 1 s; median of {rounds}\n"
    );
    println!("| | p95 ms | p99 ms | error of p95 | error of p99 |\n|---|---|---|---|---|");
    let mut figures: BTreeMap<&str, Vec<[Option<f64>; 4]>> = BTreeMap::new();
    for _ in 0..rounds {
        for (paced, tool) in tools.iter().flat_map(|tool| tool.paced.iter().map(move |paced| (paced, tool))) {
            let child = start((paced.command)(&nginx.url))?;
            let stopped = stop_half_way(nginx)?;
            let (text, _) = end(child)?;
            let percentiles = [(paced.percentile)(&text, 95), (paced.percentile)(&text, 99)];
            if percentiles == [None, None] {
                anyhow::bail!("{} said no percentile: {text}", tool.name);
            }
            let errors = [(0, 0.95), (1, 0.99)]
                .map(|(index, q)| percentiles[index].map(|ms| (ms / truth_ms(stopped, q) - 1.0) * 100.0));
            let row = [percentiles[0], percentiles[1], errors[0], errors[1]];
            figures.entry(paced.name).or_default().push(row);
        }
    }
    for (name, rows) in &figures {
        let figure = |index: usize, unit: &str| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row[index]).collect();
            if values.is_empty() { "–".to_owned() } else { format!("{:.1}{unit}", median(&values)) }
        };
        println!(
            "| {name} | {} | {} | {} | {} |",
            figure(0, ""),
            figure(1, ""),
            figure(2, " %"),
            figure(3, " %")
        );
    }
    let (p95, p99) = (truth_ms(STALL, 0.95), truth_ms(STALL, 0.99));
    println!("| truth for a stall of 1.000 s | {p95:.0} | {p99:.0} | | |");
    Ok(())
}

/// What an open loop sees: requests that are due in a stall wait for its end, as long as is left of it.
fn truth_ms(stopped: Duration, q: f64) -> f64 {
    let all = f64::from(STALL_SECONDS);
    (stopped.as_secs_f64() - (1.0 - q) * all).max(0.0) * 1000.0
}

fn stop_half_way(nginx: &Nginx) -> anyhow::Result<Duration> {
    std::thread::sleep(Duration::from_secs(u64::from(STALL_SECONDS) / 2));
    let start = Instant::now();
    nginx.stop_workers()?;
    std::thread::sleep(STALL);
    nginx.continue_workers()?;
    Ok(start.elapsed())
}

fn start(mut command: Command) -> anyhow::Result<Child> {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("could not start {shown}"))
}

/// What it printed, and the CPU time it used.
fn end(mut child: Child) -> anyhow::Result<(String, Duration)> {
    let mut text = String::new();
    let mut output = child.stdout.take().context("it has no output")?;
    std::io::Read::read_to_string(&mut output, &mut text)?;
    Ok((text, clock::wait(&child)?.cpu))
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = |index: usize| sorted.get(index).copied().unwrap_or_default();
    f64::midpoint(middle(sorted.len().saturating_sub(1) / 2), middle(sorted.len() / 2))
}

pub(super) fn range(values: &[f64]) -> (f64, f64) {
    (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_seconds_with_a_stall_of_one_the_99th_percentile_waits_nine_tenths_of_it() {
        assert!((truth_ms(STALL, 0.95) - 500.0).abs() < 1e-6);
        assert!((truth_ms(STALL, 0.99) - 900.0).abs() < 1e-6);
        assert!(truth_ms(STALL, 0.5).abs() < 1e-6);
    }
}
