//! Servers that run, as `/proc` shows them.

use host::Host;
use model::Unread;

use crate::mysql::Process;
use crate::processes;

/// Names of the servers' commands.
const SERVERS: [&str; 2] = ["mariadbd", "mysqld"];

/// A server that runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) command: String,
    /// CPU time since its start, in seconds.
    pub(super) cpu_s: f64,
    /// Its command line.
    pub(super) words: Vec<String>,
    /// What stands before its paths so that they are paths of the host.
    pub(super) root: String,
    /// Whether its TCP ports are those of the caller.
    pub(super) same_network: bool,
    /// Why its files may not be read.
    pub(super) unread: Option<Unread>,
}

/// Every server that runs, by number.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(super) fn running(host: &dyn Host) -> Result<Vec<Running>, Unread> {
    let found = processes::named(host, |name| SERVERS.contains(&name))?;
    let read = |process: processes::Process| {
        let root = processes::root_of(host, process.pid);
        Running {
            pid: process.pid,
            command: process.command,
            cpu_s: seconds(process.cpu_ticks),
            words: processes::command_line(host, process.pid),
            same_network: processes::shares_network(host, process.pid),
            unread: root.clone().err(),
            root: root.unwrap_or_default(),
        }
    };
    Ok(found.into_iter().map(read).collect())
}

/// Clock ticks are 1/100 s to user space (`USER_HZ`).
#[expect(clippy::cast_precision_loss, reason = "ticks of 1/100 s fit 53 bits for 2.8 million years")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / 100.0
}

impl Running {
    /// What is known of the process.
    pub(super) fn facts(&self, host: &dyn Host) -> Process {
        let status = host.value(&format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok());
        Process {
            pid: self.pid,
            program: self.command.clone(),
            threads,
            private_bytes: private_bytes(host, self.pid),
            open_files_limit: processes::open_files_limit(host, self.pid),
            control_group: processes::cgroup(host, self.pid),
        }
    }
}

/// `Private_Clean`, `Private_Dirty` and `Private_Hugetlb` of smaps_rollup (proc(5)).
fn private_bytes(host: &dyn Host, pid: u32) -> Option<u64> {
    let rollup = host.value(&format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kib = rollup.lines().filter(|line| line.starts_with("Private_"));
    let kib = kib.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.reduce(u64::saturating_add)?.checked_mul(1024)
}
