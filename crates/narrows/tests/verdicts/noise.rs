//! How busy the machine was with anything but the fault, measured apart from narrows.

use crate::faults::Result;
use crate::faults::kernel::{self, CpuTicks};

/// The share of CPU time above which other programs compete for the CPUs.
const BUSY_CPUS: f64 = 0.5;
/// The share of a window, summed over disks, from which on other programs use them.
const BUSY_DISK: f64 = 0.04;
/// Ticks per second of `/proc/stat` (`USER_HZ`, the same on every architecture that matters here).
const TICKS_PER_S: f64 = 100.0;

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

    /// What disturbed the machine since then; `None` if nothing did.
    pub(crate) fn until_now(&self) -> Result<Option<String>> {
        let now = Self::now()?;
        let ticks = |of: fn(&CpuTicks) -> u64| of(&now.cpu).saturating_sub(of(&self.cpu)) as f64;
        let (all, free) = (ticks(|cpu| cpu.all), ticks(|cpu| cpu.idle) + ticks(|cpu| cpu.iowait));
        let cpus = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let seconds = (all / cpus / TICKS_PER_S).max(0.1);
        let busy = 1.0 - free / all.max(1.0);
        let disk = now.disk_ms.saturating_sub(self.disk_ms) as f64 / 1000.0 / seconds;
        let dropped = now.dropped.saturating_sub(self.dropped);
        let loud = busy > BUSY_CPUS || disk > BUSY_DISK || dropped > 0;
        Ok(loud.then(|| {
            format!(
                "CPUs {:.0} % busy, a disk {:.0} %, {dropped} packets dropped",
                busy * 100.0,
                disk * 100.0
            )
        }))
    }
}
