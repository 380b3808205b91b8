//! What is known of each PHP-FPM on the host.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

use super::database::DatabaseLimit;
use crate::quantiles::Quantiles;

/// Every PHP-FPM of the host, read once per window, at its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each master. One that is configured and does not run has no process.
    pub masters: Vec<Master>,
    /// How many connections the database server of this host takes; `None` without option files of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseLimit>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// One PHP-FPM: a master process and its pools.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Master {
    /// The process; `None` when it does not run.
    pub pid: Option<u32>,
    /// PHP's version, as `8.2`.
    pub version: Option<String>,
    /// The configuration file it was started with, such as `/etc/php/8.2/fpm/php-fpm.conf`.
    pub file: String,
    /// Settings of `[global]`.
    pub global: BTreeMap<String, Setting>,
    /// Its pools, in the order of the files.
    pub pools: Vec<Pool>,
    /// What its log says of the last minutes.
    pub log: Option<Log>,
    /// Lines that FPM or its ini parser refuses or ignores.
    pub problems: Vec<FileProblem>,
    /// Its control group, as in `/proc/PID/cgroup`: the systemd unit it belongs to.
    pub control_group: Option<String>,
}

/// A setting, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// The value.
    pub value: String,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl Setting {
    /// `file:line`, where a person finds it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// A line of a file that is refused or ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileProblem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// Whether reading of the file ends there.
    pub stops: bool,
}

/// How a pool decides on its number of workers (`pm`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Always `pm.max_children`.
    Static,
    /// Between spare limits.
    #[default]
    Dynamic,
    /// None when idle.
    Ondemand,
}

/// A pool as configured, and its workers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    /// Its name: the section, with `$pool` in values put in.
    pub name: String,
    /// The file that holds its section.
    pub file: String,
    /// All its settings as written, `php_value[…]` among them; values that hold secrets (`env[…]`) are taken out.
    pub settings: BTreeMap<String, Setting>,
    /// What it listens on: a path, or `ADDRESS:PORT`. FPM's forms are brought into that of listeners (`127.0.0.1:9000`).
    pub listen: String,
    /// `pm`.
    pub mode: Mode,
    /// `pm.max_children`.
    pub max_children: Option<u32>,
    /// The user of its workers.
    pub user: Option<String>,
    /// Its workers now.
    pub workers: Vec<Worker>,
    /// Resident memory that a worker shares with nobody (`Private_Clean` and `Private_Dirty` of smaps_rollup), in bytes.
    pub private_bytes: Option<Quantiles>,
    /// Proportional memory of a worker (`Pss`), in bytes.
    pub pss_bytes: Option<Quantiles>,
    /// Resident memory of a worker (`Rss`), in bytes.
    pub rss_bytes: Option<Quantiles>,
    /// Requests in its slow log within the last minutes; `None` without a slow log.
    pub slow_requests: Option<u64>,
}

impl Pool {
    /// A setting as text.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(|setting| setting.value.as_str())
    }

    /// A setting of one number.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.value(key)?.trim().parse().ok()
    }

    /// Whether it listens on a Unix socket.
    pub fn on_unix_socket(&self) -> bool {
        self.listen.starts_with('/')
    }
}

/// A worker process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// The process.
    pub pid: u32,
    /// Its state letter.
    pub state: char,
    /// The system call it waits in, by name; `None` while it runs or where that may not be read.
    pub syscall: Option<String>,
    /// The kind of the descriptor that call waits for: `listening` for the pool's own socket, else `socket`, `file`, `pipe`.
    pub waits_for: Option<String>,
}

/// What the end of FPM's log says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// The file.
    pub path: String,
    /// Seconds from the first line that was counted to the last.
    pub span_s: f64,
    /// `server reached pm.max_children`, by pool.
    pub reached_max_children: BTreeMap<String, u64>,
    /// `seems busy (you may need to increase …)`, by pool.
    pub seems_busy: BTreeMap<String, u64>,
    /// `execution timed out … terminating`, by pool.
    pub terminated: BTreeMap<String, u64>,
    /// `child … exited on signal 11 (SIGSEGV)` and other signals, by pool.
    pub died: BTreeMap<String, u64>,
}

/// What counts up, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Each pool of each running master.
    pub pools: Vec<PoolCounters>,
}

/// What counts up of a pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolCounters {
    /// The master's process.
    pub master: u32,
    /// The pool's name.
    pub pool: String,
    /// Workers now.
    pub workers: u32,
    /// CPU time of the workers that are there now, in clock ticks of 1/100 s, by process.
    pub cpu_ticks: BTreeMap<u32, u64>,
    /// The status page, where the pool has one.
    pub status: Option<Status>,
    /// Why there is no status page.
    pub status_unread: Option<Unread>,
}

/// The status page of a pool (`pm.status_path`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `accepted conn`: requests taken since the start.
    pub accepted: u64,
    /// `listen queue`: always 0 on a Unix socket.
    pub listen_queue: u64,
    /// `max listen queue`.
    pub max_listen_queue: u64,
    /// `idle processes`.
    pub idle: u32,
    /// `active processes`; the one that answers is among them.
    pub active: u32,
    /// `max active processes` since the start.
    pub max_active: u32,
    /// `max children reached` since the start.
    pub max_children_reached: u64,
    /// `slow requests` since the start.
    pub slow_requests: u64,
    /// Each worker.
    pub processes: Vec<Process>,
}

/// A worker on the status page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// The process.
    pub pid: u32,
    /// `Idle`, `Running`, `Reading headers`, `Info`, `Finishing`, `Ending`.
    pub state: String,
    /// Requests it has served.
    pub requests: u64,
    /// How long its request takes or took, in microseconds.
    pub request_duration_us: u64,
    /// The script, without a query string.
    pub script: Option<String>,
    /// CPU use of its last request, in per cent of a CPU.
    pub last_request_cpu: Option<f64>,
    /// Peak memory of its last request, in bytes.
    pub last_request_memory: Option<u64>,
}
