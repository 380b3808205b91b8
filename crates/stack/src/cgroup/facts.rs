//! Control groups: limits, usage and throttling.

use serde::{Deserialize, Serialize};

/// Which hierarchy the host has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// Only version 1.
    V1,
    /// Version 1 with version 2 beside it.
    Hybrid,
    /// Only version 2.
    #[default]
    V2,
}

/// The control group layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Which hierarchy the host has.
    pub version: Version,
    /// Groups with a limit, a throttle count or an out-of-memory kill; at most 512, by path.
    pub groups: Vec<Group>,
    /// Services, scopes and containers that have used a CPU, by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub competitors: Vec<Competitor>,
    /// Groups looked at.
    pub looked_at: u64,
    /// Groups beyond what was looked at.
    pub left_out: u64,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
}

/// One control group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// The path below the hierarchy's root.
    pub path: String,
    /// CPU time used, in microseconds.
    pub usage_us: Option<u64>,
    /// The quota per period, in microseconds; `None` when unlimited.
    pub quota_us: Option<u64>,
    /// The period, in microseconds.
    pub period_us: Option<u64>,
    /// Periods that began.
    pub periods: Option<u64>,
    /// Periods in which the quota ran out.
    pub throttled_periods: Option<u64>,
    /// Time throttled, in microseconds.
    pub throttled_us: Option<u64>,
    /// Memory in use, in bytes.
    pub memory_bytes: Option<u64>,
    /// Of it, what the kernel gives back before it kills: file pages and reclaimable slabs (`memory.stat`).
    pub memory_reclaimable_bytes: Option<u64>,
    /// The hard memory limit, in bytes; `None` when unlimited.
    pub memory_max_bytes: Option<u64>,
    /// The soft memory limit (`memory.high`), in bytes; `None` when unlimited.
    pub memory_high_bytes: Option<u64>,
    /// Times the soft limit was met (`memory.events` high).
    pub memory_high_events: Option<u64>,
    /// Times the hard limit was met (`memory.events` max, or `memory.failcnt`).
    pub memory_max_events: Option<u64>,
    /// Processes killed for lack of memory.
    pub oom_kills: Option<u64>,
    /// Time in which at least one of its tasks waited for a CPU, in microseconds (`cpu.pressure`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_us: Option<u64>,
    /// Its weight among its siblings (`cpu.weight`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// Whether one of its processes listens for connections; looked at only where it waits for CPUs or has a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listens: Option<bool>,
    /// Bytes read and written, from `io.stat` or blkio, all devices together.
    pub io_bytes: Option<u64>,
}

/// A service, a scope or a container, which competes with others for the CPUs as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Competitor {
    /// The path below the hierarchy's root.
    pub path: String,
    /// CPU time used, in microseconds.
    pub usage_us: u64,
    /// Time in which at least one of its tasks waited for a CPU, in microseconds; `None` where the kernel does not count it.
    pub waited_us: Option<u64>,
    /// Its weight among its siblings; 100 unless somebody set another.
    pub weight: Option<u64>,
    /// Whether one of its processes listens for connections; looked at only where it waits for CPUs or has a quota.
    pub listens: Option<bool>,
}
