//! How long a plan of 30 changes takes, from the start of `narrows apply` to its end, when all is on disk.
//!
//! Beside it, in turn: sysctl(8), which writes the same values and keeps nothing, and TuneD, which applies a profile of
//! the same values once. All in namespaces of their own for network, mounts and /etc/sysctl.d.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use change::kinds::{File, Sysctl};
use change::plan::{Plan, PlanHost, PlannedChange, SCHEMA};
use change::{Action, Operation, Phase, Target};
use model::{Change, Derived, Edit};

use super::clock::ms;
use crate::run::exists;

/// What this measurement is called on the command line.
pub(super) const WORLD: &str = "changes";
/// Turns in a round.
const TURNS: u32 = 10;
/// Where the change lasts.
const LASTING: &str = "/etc/sysctl.d/90-narrows.conf";
/// Parameters of a network namespace that are 0 when it is made, and may be 1.
const KEYS: [&str; 30] = [
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_fwmark_accept",
    "net.ipv4.tcp_l3mdev_accept",
    "net.ipv4.tcp_migrate_req",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_no_metrics_save",
    "net.ipv4.tcp_reflect_tos",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_stdurg",
    "net.ipv4.tcp_thin_linear_timeouts",
    "net.ipv4.tcp_workaround_signed_windows",
    "net.ipv4.conf.lo.accept_local",
    "net.ipv4.conf.lo.arp_accept",
    "net.ipv4.conf.lo.arp_announce",
    "net.ipv4.conf.lo.arp_filter",
    "net.ipv4.conf.lo.arp_ignore",
    "net.ipv4.conf.lo.arp_notify",
    "net.ipv4.conf.lo.bc_forwarding",
    "net.ipv4.conf.lo.bootp_relay",
    "net.ipv4.conf.lo.drop_gratuitous_arp",
    "net.ipv4.conf.lo.drop_unicast_in_l2_multicast",
    "net.ipv4.conf.lo.force_igmp_version",
    "net.ipv4.conf.lo.ignore_routes_with_linkdown",
    "net.ipv4.conf.lo.log_martians",
    "net.ipv4.conf.lo.medium_id",
    "net.ipv4.conf.lo.promote_secondaries",
    "net.ipv4.conf.lo.proxy_arp",
    "net.ipv4.conf.lo.proxy_arp_pvlan",
    "net.ipv4.conf.lo.route_localnet",
    "net.ipv4.conf.lo.tag",
];

/// Measures in namespaces of its own.
pub(super) fn run(rounds: u32) -> anyhow::Result<()> {
    let status = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount"])
        .arg(std::env::current_exe()?)
        .args(["bench", "--inside", "--world", WORLD, "--rounds", &rounds.to_string()])
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .status()
        .context("could not make namespaces with unshare")?;
    if status.success() { Ok(()) } else { bail!("measuring changes ended with {status}") }
}

/// Takes turns and prints medians.
pub(super) fn measure(rounds: u32) -> anyhow::Result<()> {
    for folder in ["/etc/sysctl.d", "/etc/tuned"] {
        std::fs::create_dir_all(folder)?;
        call(Command::new("mount").args(["-t", "tmpfs", "narrows", folder]))?;
    }
    // On the disk of the workspace: flushing to it is most of what a journal costs.
    let place = crate::root().join("target/bench-changes");
    std::fs::remove_dir_all(&place).ok();
    std::fs::create_dir_all(&place)?;
    let world = World { plan: place.join("plan.json"), state: place.join("state") };
    std::fs::write(&world.plan, serde_json::to_vec(&plan()?)?)?;
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..rounds * TURNS {
        times.entry("narrows apply").or_default().push(timed(|| world.apply())?);
        all_are("1")?;
        times.entry("narrows undo").or_default().push(timed(|| world.undo())?);
        all_are("0")?;
        times.entry("sysctl -w").or_default().push(timed(|| sysctl("1"))?);
        all_are("1")?;
        sysctl("0")?;
    }
    if exists("tuned") {
        profile()?;
        for _ in 0..rounds {
            times.entry("tuned --profile, once").or_default().push(timed(tuned)?);
            all_are("1")?;
            sysctl("0")?;
        }
    }
    print(times);
    Ok(())
}

struct World {
    plan: PathBuf,
    state: PathBuf,
}

impl World {
    fn narrows(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(crate::root().join("target/release/narrows"));
        call(command.args(arguments).args(["--format", "json", "--state-dir"]).arg(&self.state))
    }

    fn apply(&self) -> anyhow::Result<()> {
        let plan = self.plan.display().to_string();
        self.narrows(&["apply", "--yes", &plan])
    }

    fn undo(&self) -> anyhow::Result<()> {
        self.narrows(&["undo"])
    }
}

fn plan() -> anyhow::Result<Plan> {
    let changes: Result<Vec<_>, _> = KEYS.iter().map(|key| planned(key)).collect();
    let mut plan = Plan {
        schema: SCHEMA.to_owned(),
        hash: String::new(),
        host: PlanHost::default(),
        changes: changes?,
        files: vec![],
        refused: vec![],
        by_hand: vec![],
    };
    plan.hash = plan.digest()?;
    Ok(plan)
}

/// The value now, and a line of the file that makes it last.
fn planned(key: &str) -> anyhow::Result<PlannedChange> {
    let value = "1".to_owned();
    let operation = |target: Target, action, phase| -> anyhow::Result<Operation> {
        let before = target.fingerprint(&target.kind().read()?);
        Ok(Operation { target, action, phase, before })
    };
    let parameter = Target::Sysctl(Sysctl { key: key.to_owned(), namespace: None });
    let edit = Edit::Sysctl { key: key.to_owned(), value: Some(value.clone()), line: None };
    let file = Target::File(File { path: LASTING.to_owned() });
    Ok(PlannedChange {
        id: key.to_owned(),
        causes: vec![],
        severity: None,
        remedy: String::new(),
        why: String::new(),
        evidence: vec![],
        alternatives: vec![],
        moves: String::new(),
        metric: None,
        change: Change::sysctl(key, Some("0".to_owned()), Derived::new(1, "")),
        operations: vec![
            operation(parameter, Action::Set { value }, Phase::Now)?,
            operation(file, Action::Edit { edits: vec![edit] }, Phase::Lasting)?,
        ],
        reloads: vec![],
        shell: vec![],
    })
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn call(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("could not start {command:?}"))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
}

fn sysctl(value: &str) -> anyhow::Result<()> {
    call(Command::new("sysctl").args(["-q", "-w"]).args(KEYS.map(|key| format!("{key}={value}"))))
}

/// A peer that did not do the work would be quick.
fn all_are(value: &str) -> anyhow::Result<()> {
    for key in KEYS {
        let path = Path::new("/proc/sys").join(key.replace('.', "/"));
        let found = std::fs::read_to_string(&path)?;
        if found.trim() != value {
            bail!("{key} is {} instead of {value}", found.trim());
        }
    }
    Ok(())
}

fn profile() -> anyhow::Result<()> {
    std::fs::create_dir_all("/etc/tuned/bench")?;
    let lines: String = KEYS.iter().map(|key| format!("{key}=1\n")).collect();
    std::fs::write("/etc/tuned/bench/tuned.conf", format!("[main]\nsummary=bench\n[sysctl]\n{lines}"))?;
    std::fs::write("/etc/tuned/tuned-main.conf", "daemon = 0\nreapply_sysctl = 0\n")?;
    Ok(())
}

fn tuned() -> anyhow::Result<()> {
    call(Command::new("tuned").args(["--no-dbus", "--no-socket", "--profile", "bench"]))
}

fn print(times: BTreeMap<&str, Vec<Duration>>) {
    println!("\n30 changes, each one value and one line of a file; wall time of the whole program\n");
    println!("| | median ms | least | most | ÷ narrows apply |\n|---|---|---|---|---|");
    let median = |times: &[Duration]| ms(times.get(times.len() / 2).copied().unwrap_or_default());
    let sorted = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times
    };
    let times: BTreeMap<_, _> = times.into_iter().map(|(name, times)| (name, sorted(times))).collect();
    let ours = times.get("narrows apply").map_or(1.0, |times| median(times));
    for (name, times) in &times {
        let edge = |time: Option<&Duration>| time.copied().map_or(0.0, ms);
        println!(
            "| {name} | {:.1} | {:.1} | {:.1} | {:.2} |",
            median(times),
            edge(times.first()),
            edge(times.last()),
            median(times) / ours
        );
    }
}
