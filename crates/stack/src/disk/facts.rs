//! Block devices, as `/proc/diskstats` and `/sys/block` give them.

use serde::{Deserialize, Serialize};

/// The disk layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Every block device, partitions included.
    pub devices: Vec<Device>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
}

/// A line of `/proc/diskstats` (Documentation/admin-guide/iostats.rst).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// The name (`vda`).
    pub name: String,
    /// The major number.
    pub major: u32,
    /// The minor number.
    pub minor: u32,
    /// Whether it is a whole disk (it has a folder in `/sys/block`), not a partition.
    pub whole: bool,
    /// Reads completed.
    pub reads: u64,
    /// 512-byte sectors read.
    pub sectors_read: u64,
    /// Time of all reads, in ms.
    pub read_ms: u64,
    /// Writes completed.
    pub writes: u64,
    /// 512-byte sectors written.
    pub sectors_written: u64,
    /// Time of all writes, in ms.
    pub write_ms: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// Time with at least one request in flight, in ms (`io_ticks`).
    pub busy_ms: u64,
    /// Time weighted by requests in flight, in ms.
    pub weighted_ms: u64,
    /// Flushes completed (since Linux 5.5).
    pub flushes: Option<u64>,
    /// Time of all flushes, in ms.
    pub flush_ms: Option<u64>,
    /// The active I/O scheduler.
    pub scheduler: Option<String>,
    /// Whether it has rotating platters, as the device says.
    pub rotational: Option<bool>,
    /// How many requests its queue holds (`nr_requests`).
    pub queue_requests: Option<u64>,
}
