//! How busy the machine is that measures: what else runs on it is noise.

/// CPU time of all CPUs since boot, in ticks of 1/100 s (`/proc/stat`, proc_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    busy: u64,
    all: u64,
}

impl CpuTimes {
    /// Reads them; `None` where the kernel does not tell.
    pub fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal. What is stolen was wanted, and is busy.
    fn parse(stat: &str) -> Option<Self> {
        let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
        let ticks = fields.map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        let all = ticks.iter().sum();
        let idle: u64 = ticks.get(3..5)?.iter().sum();
        Some(Self { busy: all - idle, all })
    }

    /// The share of CPU time that was used since, 0 to 1; `None` where no time has passed.
    #[expect(clippy::cast_precision_loss, reason = "a share of ticks")]
    pub fn busy_share(&self, earlier: &Self) -> Option<f64> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)?;
        Some(self.busy.saturating_sub(earlier.busy) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_disk_is_idle_and_what_the_hypervisor_took_is_busy() {
        let before = CpuTimes::parse("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n").unwrap();
        let after = CpuTimes::parse("cpu  110 0 110 760 110 0 0 10 0 0\n").unwrap();
        assert_eq!(after.busy_share(&before), Some(0.3));
        assert_eq!(before.busy_share(&before), None);
        assert_eq!(CpuTimes::parse("intr 1 2 3"), None);
    }
}
