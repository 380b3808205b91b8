//! What came of a load.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Latencies;

/// One second of a load, by when requests were due.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Requests that were due.
    pub offered: u64,
    /// Of those, how many got a good answer.
    pub good: u64,
    /// Good answers that arrived in this second, whenever their requests were due.
    pub answered: u64,
}

/// What came of the requests that were due while it was counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadResult {
    /// How long requests were due, in seconds.
    pub seconds: f64,
    /// Requests that were due.
    pub offered: u64,
    /// Requests with an answer below status 400 within the timeout.
    pub good: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer, by what happened: `timed out`, `connection refused`, `no local port`, `never sent`, …
    pub failures: BTreeMap<String, u64>,
    /// Of good answers, counted from when the request was due.
    pub latency: Latencies,
    /// Of good answers, counted from when the request was taken up: sent, or a connection begun for it.
    pub service: Latencies,
    /// How long after it was due each request was taken up: what the generator, or a lack of connections, added.
    pub lag: Latencies,
    /// Requests that were due when all connections were busy.
    pub waited: u64,
    /// Connections that were opened, also while warming up.
    pub connections: u64,
    /// Bytes of bodies received.
    pub body_bytes: u64,
    /// CPU time that the generator used while requests were due and counted, in seconds.
    pub generator_cpu_s: f64,
    /// Time in which its threads were ready to work and had no CPU, in seconds; `None` where the kernel does not say
    /// (`/proc/PID/schedstat`, Documentation/scheduler/sched-stats.rst).
    pub generator_wait_s: Option<f64>,
    /// Threads of the generator; each can use one CPU.
    pub generator_threads: u64,
    /// Good answers per second that arrived while requests were due: what the server carried.
    pub goodput_per_s: f64,
    /// Second by second.
    pub by_second: Vec<Second>,
}

impl LoadResult {
    /// The share of requests without a good answer, 0 to 1; `None` where none was due.
    #[expect(clippy::cast_precision_loss, reason = "a share of counts")]
    pub fn failed_share(&self) -> Option<f64> {
        (self.offered > 0).then(|| (self.offered - self.good.min(self.offered)) as f64 / self.offered as f64)
    }
}
