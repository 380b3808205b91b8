//! Runs a scenario in a QEMU guest: `guest/run.sh` boots it with this program and `narrows` in the folder both sides see.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tempfile::TempDir;

use crate::faults::{Attempt, FaultError, Result};
use crate::meeting::Meeting;
use crate::narrows;
use crate::scenario::{Card, Guest, Scenario};
use crate::score::Score;

/// The network card's other end, a tap of this machine.
const TAP: &str = "narrowslab0";
/// The host's address on it (benchmarking network, RFC 2544).
const HOST_ADDRESS: &str = "198.18.0.1/24";
/// The guest's.
pub const GUEST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

/// A tap that is deleted when dropped.
struct Tap;

impl Tap {
    fn create(queues: u32) -> Result<Self> {
        use crate::faults::tools::IP;
        let _ = Command::new(IP.program).args(["link", "delete", TAP]).output();
        let several: &[&str] = if queues > 1 { &["multi_queue"] } else { &[] };
        IP.run(&[&["tuntap", "add", "dev", TAP, "mode", "tap"], several].concat())?;
        let tap = Self;
        IP.run(&["address", "add", HOST_ADDRESS, "dev", TAP])?;
        IP.run(&["link", "set", TAP, "up"])?;
        Ok(tap)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Err(error) = crate::faults::tools::IP.run(&["link", "delete", TAP]) {
            crate::faults::report_left_behind(error);
        }
    }
}

/// Frames for the guest that its card's other end had no room for, since the tap was made.
pub fn dropped_outside() -> Result<u64> {
    let path = format!("/sys/class/net/{TAP}/statistics/tx_dropped");
    let text = std::fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
    text.trim().parse().attempt(|| format!("understand {path}"))
}

/// How often a guest is booted that brings no score back. QEMU under TCG hangs or aborts now and then.
const ATTEMPTS: u32 = 2;
/// With this variable set, a guest's folder (`narrows-guest-*` in the folder for temporary files) stays, to look into.
const KEEP: &str = "LAB_KEEP";
/// So many lines of the guest's console go into an error.
const CONSOLE_LINES: usize = 30;

/// Boots a guest, runs the scenario in it, and brings back its score. A guest that brings none is booted once more.
pub fn run(scenario: &Scenario, guest: &Guest) -> Result<Score> {
    let mut lost = vec![];
    for attempt in 1..=ATTEMPTS {
        match run_once(scenario, guest) {
            Ok(mut score) => {
                let line =
                    |error: &FaultError| error.to_string().lines().next().unwrap_or_default().to_owned();
                let remark = |error| format!("booted again: {}", line(error));
                score.remarks.extend(lost.iter().map(remark));
                return Ok(score);
            }
            Err(error) => lost.push(FaultError::new(format!("boot {attempt}: {error}"))),
        }
    }
    Err(FaultError::new(lost.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn run_once(scenario: &Scenario, guest: &Guest) -> Result<Score> {
    let mut work =
        TempDir::with_prefix("narrows-guest-").attempt(|| "make a folder for a guest".to_owned())?;
    work.disable_cleanup(std::env::var_os(KEEP).is_some());
    let folder = work.path().join("vm");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest");
    let script = work.path().join("scenario.sh");
    let line = format!(
        "cp /lab/lab /lab/narrows /tmp/ && exec /tmp/lab inside {} --output /lab/score.json\n",
        scenario.name
    );
    std::fs::write(&script, line).attempt(|| format!("write {}", script.display()))?;
    let _tap = guest.outside.map(|outside| Tap::create(outside.queues)).transpose()?;
    let mut command = command(guest, &here, &folder, work.path())?;
    command.arg(&script);
    let share = folder.join("share");
    let gone = Arc::new(AtomicBool::new(false));
    let (output, outside) = std::thread::scope(|scope| {
        let outside = guest.outside.map(|outside| {
            let meeting = Meeting::outside(&share, Arc::clone(&gone));
            scope.spawn(move || {
                let result = (outside.run)(&meeting);
                result.inspect_err(|error| meeting.give_up(error))
            })
        });
        let output = command.output().attempt(|| "run guest/run.sh".to_owned());
        gone.store(true, Relaxed);
        let outside = outside.map(|outside| {
            outside.join().unwrap_or_else(|_| Err(FaultError::new("the work outside the guest panicked")))
        });
        (output, outside)
    });
    let output = output?;
    match std::fs::read(share.join("score.json")) {
        Ok(score) => serde_json::from_slice(&score).attempt(|| "understand the guest's score".to_owned()),
        Err(_) => Err(no_score(&output, &folder, outside.and_then(Result::err))),
    }
}

/// What is known of a guest that brought no score back.
fn no_score(output: &Output, folder: &Path, outside: Option<FaultError>) -> FaultError {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let console = std::fs::read(folder.join("console.log")).unwrap_or_default();
    let console = String::from_utf8_lossy(&console);
    let lines: Vec<_> = console.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(CONSOLE_LINES)..).unwrap_or_default().join("\n");
    let emulator = std::fs::read_to_string(folder.join("qemu.log")).unwrap_or_default();
    let outside = outside.map_or_else(String::new, |error| format!("\noutside: {error}"));
    FaultError::new(format!(
        "the guest brought no score back ({}){outside}\n{}\nQEMU: {}\nconsole: {tail}",
        output.status,
        String::from_utf8_lossy(&said).trim_end(),
        emulator.trim_end()
    ))
}

fn command(guest: &Guest, here: &Path, folder: &Path, work: &Path) -> Result<Command> {
    let this = std::env::current_exe().attempt(|| "find the running program".to_owned())?;
    let mut files: Vec<PathBuf> = vec![this, narrows::program()?];
    files.extend(guest.files.iter().map(|file| here.join(file)));
    let mut command = Command::new("bash");
    command.arg(here.join("run.sh")).arg("-w").arg(folder);
    command.args(["-c", &guest.cpus.to_string(), "-m", &guest.memory_mib.to_string()]);
    command.args(["-t", &guest.timeout_s.to_string()]);
    if guest.systemd {
        command.args(["-i", "systemd"]);
    }
    if guest.disk {
        command.arg("-d").arg(work.join("disk.img"));
    }
    if let Some(outside) = guest.outside {
        let model = match outside.card {
            Card::Virtio => "virtio-net-pci",
            Card::Vmxnet3 => "vmxnet3",
        };
        command.args(["-n", &format!("{TAP}:{}:{model}", outside.queues)]);
    }
    for file in files {
        command.arg("-f").arg(file);
    }
    Ok(command)
}
