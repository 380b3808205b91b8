//! Whether the figures of a load are the server's or the generator's.

use super::LoadResult;

/// Why requests were sent later than they were due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lateness {
    /// The generator could not do more: its threads worked, or wanted to, nearly all the time. A rate above what came
    /// about, and any latency, is the generator's.
    Generator {
        /// The share of the time in which its threads worked or wanted to, 0 to 1.
        wanted_share: f64,
    },
    /// All connections that were allowed were busy: the server's slowness, or too few connections.
    Connections {
        /// The share of requests that found all connections busy, 0 to 1.
        waited_share: f64,
    },
    /// The generator had little to do and was woken or scheduled late: this machine was busy with other things.
    Machine,
}

/// Lag above this matters, in milliseconds …
const LAG_MS: f64 = 1.0;
/// … where it is more than this share of the latency.
const LAG_SHARE: f64 = 0.1;
/// A thread that wants a CPU for this share of the time keeps no pace.
const BUSY_SHARE: f64 = 0.85;
/// Requests that wait for a connection matter from this share on, which is what a 99th percentile sees.
const WAITED_SHARE: f64 = 0.01;

impl LoadResult {
    /// Whether lag distorts the 99th percentile, and where it came from; `None` where it does not.
    #[expect(clippy::cast_precision_loss, reason = "shares of counts")]
    pub fn lateness(&self) -> Option<Lateness> {
        let wanted_share = self.generator_wanted_share().unwrap_or_default();
        if wanted_share >= BUSY_SHARE {
            return Some(Lateness::Generator { wanted_share });
        }
        let lag = self.lag.quantile_ms(0.99)?;
        if lag <= LAG_MS || self.latency.quantile_ms(0.99).is_some_and(|latency| lag <= LAG_SHARE * latency) {
            return None;
        }
        let waited_share = self.waited as f64 / self.offered.max(1) as f64;
        if waited_share >= WAITED_SHARE {
            return Some(Lateness::Connections { waited_share });
        }
        Some(Lateness::Machine)
    }

    /// The share of the time in which the generator's threads worked or were ready to and had no CPU, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a number of threads")]
    pub fn generator_wanted_share(&self) -> Option<f64> {
        let available = self.seconds * self.generator_threads as f64;
        (available > 0.0)
            .then(|| (self.generator_cpu_s + self.generator_wait_s.unwrap_or_default()) / available)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 100 requests in 10 s whose lag and service were these.
    fn result(lag_ms: u64, service_ms: u64) -> LoadResult {
        let mut result = LoadResult {
            seconds: 10.0,
            offered: 100,
            good: 100,
            generator_threads: 2,
            ..LoadResult::default()
        };
        for _ in 0..100 {
            result.lag.record(Duration::from_millis(lag_ms));
            result.latency.record(Duration::from_millis(lag_ms + service_ms));
        }
        result
    }

    #[test]
    fn a_small_lag_does_not_matter() {
        assert_eq!(result(0, 5).lateness(), None);
        assert_eq!(result(10, 500).lateness(), None);
        assert_eq!(LoadResult::default().lateness(), None);
    }

    #[test]
    fn a_generator_whose_threads_want_the_cpu_all_the_time_is_the_limit() {
        let mut busy = result(50, 5);
        (busy.generator_cpu_s, busy.generator_wait_s) = (12.0, Some(6.0));
        assert_eq!(busy.lateness(), Some(Lateness::Generator { wanted_share: 0.9 }));
    }

    #[test]
    fn waiting_for_a_connection_is_not_the_generators_fault() {
        let mut waiting = result(50, 5);
        waiting.waited = 40;
        assert_eq!(waiting.lateness(), Some(Lateness::Connections { waited_share: 0.4 }));
    }

    #[test]
    fn an_idle_generator_that_was_late_was_kept_from_the_cpu() {
        assert_eq!(result(50, 5).lateness(), Some(Lateness::Machine));
    }
}
