//! Builds, makes the worlds, and prints what was measured in them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::table::{Costs, print};
use super::{WORLDS, changes, digest, install, load, logs, world};
use crate::run::{command, finish};

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// `digest` measures digesting a log of slow queries beside pt-query-digest, and nothing else
    what: Option<String>,
    /// Gives pt-query-digest the whole log (minutes)
    #[arg(long)]
    full: bool,
    /// How often ours and theirs take turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Only this world: few, many or sockets; `changes` for the time that a plan takes to be applied,
    /// `load` for load generators, `logs` for counting an access log
    #[arg(long)]
    world: Option<String>,
    /// Measures in the world it was started in
    #[arg(long, hide = true)]
    inside: bool,
}

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.what.as_deref() {
        Some(digest::NAME) => return digest::run(arguments.rounds, arguments.full),
        Some(unknown) => {
            bail!("there is nothing called {unknown} to measure; take {}, or a --world", digest::NAME)
        }
        None => {}
    }
    let wanted = arguments.world.as_deref();
    if arguments.inside && wanted == Some(changes::WORLD) {
        return changes::measure(arguments.rounds);
    }
    if arguments.inside && wanted == Some(load::WORLD) {
        return load::measure(arguments.rounds);
    }
    if arguments.inside {
        return world::measure(wanted.context("which world?")?, arguments.rounds);
    }
    if !rustix::process::geteuid().is_root() {
        bail!("the bench makes namespaces and reads all processes; run it as root");
    }
    let known: Vec<&str> = WORLDS.iter().map(|(name, _)| *name).collect();
    let others = [changes::WORLD, load::WORLD, logs::WORLD];
    if let Some(unknown) = wanted.filter(|name| !known.contains(name) && !others.contains(name)) {
        bail!("there is no world {unknown}; take one of {}, {}", known.join(", "), others.join(", "));
    }
    // It needs no more of the product than an example.
    if wanted == Some(logs::WORLD) {
        return logs::run(arguments.rounds);
    }
    build()?;
    // Only when it is asked for: it loads the machine for minutes, and builds a peer.
    if wanted == Some(load::WORLD) {
        return load::run(arguments.rounds);
    }
    install::peers()?;
    if wanted.is_none_or(|wanted| wanted == changes::WORLD) {
        changes::run(arguments.rounds)?;
    }
    if wanted == Some(changes::WORLD) {
        return Ok(());
    }
    let mut costs = Costs::default();
    let (busy, total) = cpu_time()?;
    let start = std::time::Instant::now();
    let mut failed = None;
    for name in known.into_iter().filter(|name| wanted.is_none_or(|wanted| wanted == *name)) {
        println!("measuring in the world “{name}” …");
        if let Err(error) = inside(name, arguments.rounds, &mut costs) {
            failed.get_or_insert(error);
        }
    }
    let (later_busy, later_total) = cpu_time()?;
    print(&costs);
    let share = 100.0 * (later_busy - busy) / (later_total - total).max(1.0);
    println!(
        "\nThe CPUs of this machine were {share:.0} % busy over {:.0} s, ours included.",
        start.elapsed().as_secs_f64()
    );
    failed.map_or(Ok(()), Err)
}

fn build() -> anyhow::Result<()> {
    finish(command("cargo", &["build", "--release", "--package", "narrows"]))?;
    finish(command("cargo", &["build", "--release", "--package", "stack", "--example", "reading"]))
}

/// Measures in namespaces of its own. When this process dies, so does everything in them.
fn inside(name: &str, rounds: u32, costs: &mut Costs) -> anyhow::Result<()> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--mount", "--mount-proc"]);
    if name == "sockets" {
        command.arg("--net");
    }
    command.arg("--kill-child").arg(std::env::current_exe()?);
    command.args(["bench", "--inside", "--world", name, "--rounds", &rounds.to_string()]);
    let mut child = command
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not make namespaces with unshare")?;
    let output = child.stdout.take().context("the world has no output")?;
    for line in BufReader::new(output).lines() {
        costs.add(name, &line?)?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("measuring in the world {name} ended with {status}");
    }
    Ok(())
}

/// Busy and all time of all CPUs, in ticks.
pub(super) fn cpu_time() -> anyhow::Result<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/stat").context("could not read /proc/stat")?;
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    let total: f64 = ticks.iter().sum();
    Ok((total - ticks.iter().skip(3).take(2).sum::<f64>(), total))
}
