//! Interrupts, soft interrupts and the per-CPU backlog, as `/proc` gives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The interrupt layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The CPUs of the columns of `/proc/interrupts`, in order.
    pub columns: Vec<u32>,
    /// The rows of `/proc/interrupts`.
    pub interrupts: Vec<Interrupt>,
    /// `/proc/softirqs`: counts per CPU column, by name (`NET_RX`). The file has a column for each possible CPU; those
    /// of CPUs that are not in `columns` are left out.
    pub softirqs: BTreeMap<String, Vec<u64>>,
    /// `/proc/net/softnet_stat`, a row per CPU.
    pub softnet: Vec<Softnet>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
}

/// A row of `/proc/interrupts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interrupt {
    /// The number, or a name such as `LOC`.
    pub label: String,
    /// The chip, the type and the device, as printed after the counts.
    pub name: String,
    /// Counts per CPU column.
    pub counts: Vec<u64>,
    /// `/proc/irq/N/smp_affinity_list`: the CPUs it may go to.
    pub affinity: Option<String>,
    /// `/proc/irq/N/effective_affinity_list`: the CPUs it goes to.
    pub effective: Option<String>,
}

/// A row of `/proc/net/softnet_stat` (net/core/net-procfs.c).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Softnet {
    /// The CPU (column 13 where the kernel prints it, else the row's number).
    pub cpu: u32,
    /// Packets taken from the backlog or polled (column 1).
    pub processed: u64,
    /// Packets dropped because the per-CPU backlog was full (column 2).
    pub dropped: u64,
    /// Times polling stopped with work left (column 3).
    pub time_squeeze: u64,
    /// Wake-ups by receive packet steering (column 10).
    pub received_rps: u64,
    /// Packets dropped by the flow limit (column 11).
    pub flow_limit: u64,
    /// Packets in the backlog now (column 12), where printed.
    pub backlog: Option<u64>,
}
