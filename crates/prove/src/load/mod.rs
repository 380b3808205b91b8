//! Open-loop HTTP load.

mod carrier;
mod connect;
mod cpu;
mod engine;
mod failure;
mod http1;
mod http2;
mod lane;
mod latencies;
mod lateness;
mod origin;
mod result;
mod schedule;
mod spec;
mod tally;
mod timer;
mod tls;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use latencies::Latencies;
pub use lateness::Lateness;
pub use result::{LoadResult, Second};
pub use spec::{Arrivals, LoadSpec, Process, Protocol, Request};

/// Why a load could not be offered at all. Requests that fail are figures of the result, not errors.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted}: {cause}; {help}")]
pub struct LoadError {
    /// What was attempted, on what.
    pub attempted: String,
    /// What came of it.
    pub cause: String,
    /// What to do about it.
    pub help: String,
}

/// What is known while a load runs; handed out a few times a second.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Seconds since the first request was due, the warm-up included.
    pub elapsed_s: f64,
    /// Requests that were due so far.
    pub offered: u64,
    /// Good answers so far.
    pub good: u64,
    /// Requests that failed so far.
    pub failed: u64,
    /// Requests that were sent and not answered yet.
    pub outstanding: u64,
}

/// Looks whether a load can be offered as it is written, without asking anybody on the network.
///
/// # Errors
/// What is wrong with an address, a method or a header field, or that they name more than one server.
pub fn validate(spec: &LoadSpec) -> Result<(), LoadError> {
    origin::prepare(spec).map(drop)
}

/// Offers the load and waits for what comes of it. `watch` is called a few times a second.
///
/// Fails only where no load could be offered: an address that is none, a name that cannot be resolved.
pub fn run(spec: &LoadSpec, watch: &mut dyn FnMut(&Progress)) -> Result<LoadResult, LoadError> {
    run_until(spec, &Arc::default(), watch)
}

/// As [`run`], and ends early when `stop` is set: what is outstanding then counts as a failure of its own.
pub fn run_until(
    spec: &LoadSpec,
    stop: &Arc<AtomicBool>,
    watch: &mut dyn FnMut(&Progress),
) -> Result<LoadResult, LoadError> {
    engine::run(spec, stop, watch)
}
