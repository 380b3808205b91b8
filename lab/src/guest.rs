//! Runs a scenario in a QEMU guest: `guest/run.sh` boots it with this program and `narrows` in the folder both sides see.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::faults::{Attempt, FaultError, Result};
use crate::meeting::Meeting;
use crate::narrows;
use crate::scenario::{Guest, Scenario};
use crate::score::Score;

/// The network card's other end, a tap of this machine.
const TAP: &str = "narrowslab0";
/// The host's address on it (benchmarking network, RFC 2544); the guest takes 198.18.0.2.
const HOST_ADDRESS: &str = "198.18.0.1/24";

/// A tap that is deleted when dropped.
struct Tap;

impl Tap {
    fn create() -> Result<Self> {
        use crate::faults::tools::IP;
        let _ = Command::new(IP.program).args(["link", "delete", TAP]).output();
        IP.run(&["tuntap", "add", "dev", TAP, "mode", "tap", "multi_queue"])?;
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

/// Boots a guest, runs the scenario in it, and brings back its score.
pub fn run(scenario: &Scenario, guest: &Guest) -> Result<Score> {
    let work = TempDir::with_prefix("narrows-guest-").attempt(|| "make a folder for a guest".to_owned())?;
    let folder = work.path().join("vm");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest");
    let script = work.path().join("scenario.sh");
    let line = format!(
        "cp /lab/lab /lab/narrows /tmp/ && exec /tmp/lab inside {} --output /lab/score.json\n",
        scenario.name
    );
    std::fs::write(&script, line).attempt(|| format!("write {}", script.display()))?;
    let _tap = guest.outside.map(|_| Tap::create()).transpose()?;
    let mut command = command(guest, &here, &folder, work.path())?;
    command.arg(&script);
    let share = folder.join("share");
    let output = std::thread::scope(|scope| {
        let outside = guest.outside.map(|outside| {
            let meeting = Meeting::outside(&share);
            scope.spawn(move || (outside.run)(&meeting))
        });
        let output = command.output().attempt(|| "run guest/run.sh".to_owned())?;
        if let Some(outside) = outside {
            outside.join().map_err(|_| FaultError::new("the work outside the guest panicked"))??;
        }
        Ok(output)
    })?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let score = std::fs::read(share.join("score.json"));
    let score = score.map_err(|_| FaultError::new(format!("the guest brought no score back:\n{said}")))?;
    serde_json::from_slice(&score).attempt(|| "understand the guest's score".to_owned())
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
        command.args(["-n", &format!("{TAP}:{}", outside.queues)]);
    }
    for file in files {
        command.arg("-f").arg(file);
    }
    Ok(command)
}
