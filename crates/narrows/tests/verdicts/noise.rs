//! How busy the machine was with anything but the fault, measured apart from narrows.

use std::fmt;
use std::time::{Duration, Instant};

use crate::faults::Result;
use crate::faults::kernel::{self, CpuTicks};
use crate::faults::wait::wait_until;

/// The share of CPU time above which other programs compete for the CPUs.
const BUSY_CPUS: f64 = 0.5;
/// The share of CPU time from which on it is no false alarm to call it too much.
const FULL_CPUS: f64 = 0.85;
/// The share of a window, summed over disks, from which on other programs use them.
const BUSY_DISK: f64 = 0.04;
/// Ticks per second of `/proc/stat` (`USER_HZ`, the same on every architecture that matters here).
const TICKS_PER_S: f64 = 100.0;

/// How long the CPUs must have been free to try again.
const GAP: Duration = Duration::from_millis(300);
/// How long such a gap is waited for before trying again anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waits until other programs leave the CPUs alone, or long enough.
pub(crate) fn wait_for_a_gap() -> Result<()> {
    let give_up = Instant::now() + LONGEST_WAIT;
    let (mut since, mut before) = (Instant::now(), Noise::now()?);
    wait_until("the next try", || {
        if since.elapsed() < GAP {
            return Ok(false);
        }
        let free = before.until_now()?.busy < BUSY_CPUS;
        (since, before) = (Instant::now(), Noise::now()?);
        Ok(free || Instant::now() >= give_up)
    })
}

/// The state of the machine's counters at one instant.
pub(crate) struct Noise {
    cpu: CpuTicks,
    disk_ms: u64,
    dropped: u64,
}

impl Noise {
    pub(crate) fn now() -> Result<Self> {
        Ok(Self {
            cpu: kernel::cpu_ticks()?,
            disk_ms: kernel::disks_busy_ms()?,
            dropped: kernel::softnet_dropped()?,
        })
    }

    /// What disturbed the machine since then.
    pub(crate) fn until_now(&self) -> Result<Disturbance> {
        let now = Self::now()?;
        let ticks = |of: fn(&CpuTicks) -> u64| of(&now.cpu).saturating_sub(of(&self.cpu)) as f64;
        let (all, free) = (ticks(|cpu| cpu.all), ticks(|cpu| cpu.idle) + ticks(|cpu| cpu.iowait));
        let cpus = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let seconds = (all / cpus / TICKS_PER_S).max(0.1);
        let busy = 1.0 - free / all.max(1.0);
        let disk = now.disk_ms.saturating_sub(self.disk_ms) as f64 / 1000.0 / seconds;
        let dropped = now.dropped.saturating_sub(self.dropped);
        Ok(Disturbance { busy, disk, dropped })
    }
}

/// What else the machine did over a window.
pub(crate) struct Disturbance {
    /// Share of CPU time.
    busy: f64,
    /// Share of the window in which disks were busy, summed over disks.
    disk: f64,
    /// Packets dropped by the backlogs.
    dropped: u64,
}

impl Disturbance {
    /// Whether it can mislead a test, or narrows.
    pub(crate) fn is_loud(&self) -> bool {
        self.busy > BUSY_CPUS || self.disk > BUSY_DISK || self.dropped > 0
    }

    /// Whether the CPUs were clearly idle for most of the window (`Some(true)`), or clearly were not.
    pub(crate) fn was_idle(&self) -> Option<bool> {
        match self.busy {
            busy if busy < 0.45 => Some(true),
            busy if busy > 0.55 => Some(false),
            _ => None,
        }
    }

    /// The causes that are true of the machine, with or without the fault: none of the faults here makes the CPUs busy.
    pub(crate) fn true_causes(&self) -> &'static [&'static str] {
        if self.busy >= FULL_CPUS { &["cpu.work-exceeds-cpus"] } else { &[] }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { busy, disk, dropped } = self;
        let (busy, disk) = (busy * 100.0, disk * 100.0);
        write!(formatter, "CPUs {busy:.0} % busy, disks {disk:.0} %, {dropped} packets dropped")
    }
}
