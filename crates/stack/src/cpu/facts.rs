//! CPU time, load and pressure, as `/proc` gives them.

use serde::{Deserialize, Serialize};

/// The CPU layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// All CPUs together (`/proc/stat`, line `cpu`).
    pub total: Times,
    /// Each CPU that is online (`/proc/stat`, lines `cpuN`).
    pub cpus: Vec<Cpu>,
    /// Context switches since boot.
    pub context_switches: Option<u64>,
    /// Processes forked since boot.
    pub forks: Option<u64>,
    /// Tasks running or ready to run now.
    pub running: Option<u64>,
    /// Tasks waiting in `io_schedule` now (only those that count as I/O wait).
    pub blocked: Option<u64>,
    /// `/proc/loadavg`.
    pub load: Option<Load>,
    /// `/proc/pressure/cpu`.
    pub pressure_cpu: Option<Pressure>,
    /// `/proc/pressure/io`.
    pub pressure_io: Option<Pressure>,
    /// `/proc/pressure/memory`.
    pub pressure_memory: Option<Pressure>,
    /// Per CPU: time tasks ran and time they waited to run, from `/proc/schedstat`.
    pub schedule: Vec<Schedule>,
    /// Which package and core each CPU is.
    pub topology: Vec<Place>,
    /// CPUs that the scheduler leaves alone (`isolcpus=`, isolated partitions), from `/sys/devices/system/cpu/isolated`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isolated: Vec<u32>,
    /// The machine's model, as its firmware names it (`/sys/class/dmi/id/product_name`); on Amazon EC2 the instance
    /// type, such as `t3.large`.
    pub product: Option<String>,
    /// The machine's vendor, as its firmware names it (`/sys/class/dmi/id/sys_vendor`).
    pub vendor: Option<String>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
}

/// CPU time in ticks of `USER_HZ` (100 per second on every Linux architecture that narrows runs on; proc(5)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// User mode.
    pub user: u64,
    /// User mode at low priority.
    pub nice: u64,
    /// Kernel mode.
    pub system: u64,
    /// Idle, with no task waiting for I/O here.
    pub idle: u64,
    /// Idle, with a task waiting for I/O here. May decrease.
    pub iowait: u64,
    /// Interrupts (0 without `CONFIG_IRQ_TIME_ACCOUNTING`).
    pub irq: u64,
    /// Soft interrupts.
    pub softirq: u64,
    /// Runnable, while the hypervisor ran something else.
    pub steal: u64,
    /// Running a guest (included in `user`).
    pub guest: u64,
    /// Running a guest at low priority (included in `nice`).
    pub guest_nice: u64,
}

/// One CPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// The CPU's number.
    pub id: u32,
    /// Its time.
    pub times: Times,
}

/// `/proc/loadavg`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Over 1 minute.
    pub one: f64,
    /// Over 5 minutes.
    pub five: f64,
    /// Over 15 minutes.
    pub fifteen: f64,
    /// Tasks running or ready to run now.
    pub runnable: u64,
    /// Tasks in all.
    pub tasks: u64,
}

/// One `/proc/pressure` file (Documentation/accounting/psi.rst): shares in percent, totals in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pressure {
    /// Share of the last 10 s in which at least one task stalled.
    pub some_avg10: f64,
    /// The same over 60 s.
    pub some_avg60: f64,
    /// Time since boot in which at least one task stalled.
    pub some_total_us: u64,
    /// Share of the last 10 s in which all tasks stalled; `None` where the kernel gives no `full` line.
    pub full_avg10: Option<f64>,
    /// Time since boot in which all tasks stalled.
    pub full_total_us: Option<u64>,
}

/// Run-queue time of a CPU (Documentation/scheduler/sched-stats.rst, fields 7 and 8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The CPU's number.
    pub cpu: u32,
    /// Time tasks ran here, in nanoseconds.
    pub run_ns: u64,
    /// Time tasks waited to run here, in nanoseconds.
    pub wait_ns: u64,
}

/// Where a CPU sits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The CPU's number.
    pub cpu: u32,
    /// The core within the package.
    pub core: u32,
    /// The package (socket).
    pub package: u32,
    /// The NUMA node.
    pub node: Option<u32>,
}
