//! A census of processes and threads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The task layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Processes.
    pub processes: u64,
    /// Threads, of all processes.
    pub threads: u64,
    /// Threads by state letter (`R`, `S`, `D`, `I`, `T`, `Z`; proc(5)).
    pub states: BTreeMap<char, u64>,
    /// Processes by command name (`comm`), kernel threads included.
    pub commands: BTreeMap<String, u64>,
    /// CPU time of the commands that used most, in ticks, most first; at most 32.
    pub cpu: Vec<CommandTime>,
    /// Processes that vanished or could not be read while they were listed.
    pub skipped: u64,
    /// What the caller's rights do not reach, and what that would take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<model::Unread>,
}

/// CPU time of all processes of one command name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandTime {
    /// The command name.
    pub command: String,
    /// User time in ticks.
    pub user: u64,
    /// Kernel time in ticks.
    pub system: u64,
    /// Time waiting for block I/O in ticks (0 unless the kernel runs with `delayacct`).
    pub block_io: u64,
}
