//! What a thread of the generator used of the CPUs, and what it wanted.

use rustix::time::{ClockId, clock_gettime};

/// CPU time of a thread, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cpu {
    pub(super) used_s: f64,
    /// Ready to run without a CPU; `None` where the kernel does not count it.
    pub(super) waited_s: Option<f64>,
}

impl Cpu {
    /// Since the thread was started.
    #[expect(clippy::cast_precision_loss, reason = "seconds of CPU time")]
    pub(super) fn of_this_thread() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let used_s = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        Self { used_s, waited_s: statistics.as_deref().and_then(waited_s) }
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        let waited_s = self.waited_s.zip(earlier.waited_s).map(|(now, then)| now - then);
        Self { used_s: self.used_s - earlier.used_s, waited_s }
    }
}

/// The second field counts nanoseconds on a run queue (Documentation/scheduler/sched-stats.rst).
fn waited_s(statistics: &str) -> Option<f64> {
    Some(statistics.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_field_of_schedstat_is_the_time_without_a_cpu() {
        assert_eq!(waited_s("4000000000 1500000000 17\n"), Some(1.5));
        assert_eq!(waited_s(""), None);
    }
}
