//! What is known of each database server.

use std::collections::BTreeMap;

use model::{Layered, Unread};
use serde::{Deserialize, Serialize};

use crate::php_fpm::{FileProblem, Setting};

/// Every MariaDB and MySQL of the host, and those elsewhere that the user named; read once per window, at its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each server. One that is configured and does not run has no process.
    pub servers: Vec<Server>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flavor {
    /// MariaDB.
    #[default]
    MariaDb,
    /// MySQL of Oracle, and what providers make of it.
    MySql,
    /// Percona Server.
    Percona,
}

/// A version, as `10.11.6`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

/// One server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Where it listens: its socket, else `ADDRESS:PORT`. The same in [`ServerCounters`].
    pub address: String,
    /// Its process; `None` when it does not run here.
    pub process: Option<Process>,
    /// Whose it is, as far as known.
    pub flavor: Flavor,
    /// Its version: what it says, else what its package or its files say.
    pub version: Option<Version>,
    /// The options that its option files and command line set, by name with `_` for `-` and without `loose_`, the last that counts.
    /// `skip_x` stands as `x` = `OFF`, unless the option itself is named so (`skip_name_resolve` = `ON`). An option without a value
    /// is empty, which [`values::switch`](super::values::switch) reads as on. The place of one of the command line is
    /// `/proc/PID/cmdline:1`. Passwords are taken out. Empty for a server elsewhere.
    pub options: BTreeMap<String, Setting>,
    /// Every setting of its option files in the order in which they are read, those that are overridden too.
    pub settings: Vec<OptionLine>,
    /// Lines of option files that the server refuses.
    pub problems: Vec<FileProblem>,
    /// The option file, and its group, in which a new option would be written: the last file that is read for it.
    pub option_file: Option<OptionPlace>,
    /// Where its data lie.
    pub data_directory: Option<String>,
    /// What it says of itself over a connection.
    pub asked: Layered<Asked>,
}

/// The process of a server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// `mariadbd` or `mysqld`.
    pub program: String,
    /// Its threads.
    pub threads: Option<u64>,
    /// Resident memory that it shares with nobody, in bytes.
    pub private_bytes: Option<u64>,
    /// The limit of its open files (`Max open files`).
    pub open_files_limit: Option<u64>,
    /// Its control group, as in `/proc/PID/cgroup`.
    pub control_group: Option<String>,
}

/// A line of an option file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptionLine {
    /// The group without brackets.
    pub group: String,
    /// The option, with `_` for `-`, as written otherwise (`loose_…`, `skip_…` and the like are kept).
    pub name: String,
    /// The value; empty for an option without any.
    pub value: String,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A place for an option.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptionPlace {
    /// The file.
    pub file: String,
    /// The group without brackets.
    pub group: String,
}

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `SHOW GLOBAL VARIABLES`.
    pub variables: BTreeMap<String, String>,
    /// `SHOW GLOBAL STATUS` at the end of the window.
    pub status: BTreeMap<String, String>,
    /// Connections by what they do.
    pub processlist: Processlist,
    /// `SHOW ENGINE INNODB STATUS`, the parts that matter; `None` without the right to see it.
    pub innodb: Option<InnodbStatus>,
    /// Who waits for whose lock, at one instant.
    pub lock_waits: Vec<LockWait>,
    /// The largest tables by data and indexes, at most 200.
    pub tables: Vec<TableSize>,
    /// Bytes of data and indexes by engine, over all tables.
    pub engines: BTreeMap<String, u64>,
    /// As a replica.
    pub replication: Option<Replication>,
    /// Tables whose prefix is WordPress's (`%options` with `autoload`): what each page loads.
    pub autoload: Vec<Autoload>,
    /// Which of these could not be asked, and why.
    pub unread: Vec<Unread>,
}

/// `SHOW PROCESSLIST`, counted; no statement is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processlist {
    /// Connections, ours left out.
    pub connections: u64,
    /// By command (`Sleep`, `Query` …).
    pub commands: BTreeMap<String, u64>,
    /// By state of those that run (`Sending data`, `Waiting for table metadata lock` …).
    pub states: BTreeMap<String, u64>,
    /// By the host they come from, without the port.
    pub hosts: BTreeMap<String, u64>,
    /// By user.
    pub users: BTreeMap<String, u64>,
    /// Seconds that the longest running query has run.
    pub longest_query_s: Option<f64>,
    /// Transactions that sleep, by the seconds of the longest.
    pub longest_sleep_s: Option<f64>,
}

/// Of `SHOW ENGINE INNODB STATUS`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InnodbStatus {
    /// `History list length`: versions of rows that purge has not removed.
    pub history_list_length: Option<u64>,
    /// `Log sequence number` minus `Last checkpoint at`, in bytes.
    pub checkpoint_age_bytes: Option<u64>,
    /// Queries inside InnoDB.
    pub queries_inside: Option<u64>,
    /// Queries that wait to enter.
    pub queries_in_queue: Option<u64>,
    /// Waits for semaphores that are listed.
    pub semaphore_waits: Option<u64>,
    /// When the last deadlock was, as the server writes it.
    pub last_deadlock: Option<String>,
}

/// One connection that waits for another's lock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LockWait {
    /// The connection that waits.
    pub waiting: u64,
    /// The connection that holds it.
    pub holding: u64,
    /// The table.
    pub table: String,
    /// Seconds it has waited.
    pub waited_s: Option<f64>,
    /// Whether the holder sleeps inside a transaction.
    pub holder_sleeps: Option<bool>,
}

/// The size of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableSize {
    /// `schema.table`.
    pub name: String,
    /// `InnoDB`, `MyISAM`, `Aria` …
    pub engine: String,
    /// Rows, as estimated by the server.
    pub rows: Option<u64>,
    /// Bytes of data.
    pub data_bytes: u64,
    /// Bytes of indexes.
    pub index_bytes: u64,
}

/// A server as a replica.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replication {
    /// Seconds behind; `None` where replication stands still.
    pub lag_s: Option<f64>,
    /// Whether events are received.
    pub receiving: bool,
    /// Whether events are applied.
    pub applying: bool,
    /// The last error, without values of statements.
    pub last_error: Option<String>,
}

/// What WordPress loads with every page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Autoload {
    /// `schema.table`.
    pub table: String,
    /// Options that are loaded.
    pub options: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The largest by name, at most 10, with bytes.
    pub largest: Vec<(String, u64)>,
}

/// What counts up in each server, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Each server that runs.
    pub servers: Vec<ServerCounters>,
}

/// The counters of one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerCounters {
    /// As [`Server::address`].
    pub address: String,
    /// The numbers of `SHOW GLOBAL STATUS`, counters and gauges.
    pub status: BTreeMap<String, f64>,
    /// CPU time of its process since its start, in seconds; `None` for a server elsewhere.
    pub cpu_s: Option<f64>,
    /// The number of its process, by which a restart shows.
    pub pid: Option<u32>,
    /// Why it gave none.
    pub unread: Option<Unread>,
}
