//! Threads, and what they bring back together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connect::Tls;
use super::lane::{self, Gauges, Orders, Outcome};
use super::origin::{self, Origin};
use super::schedule::{Schedule, Share};
use super::{LoadError, LoadResult, LoadSpec, Progress, Protocol, tls};

/// One thread is enough below this many requests per second.
const PER_THREAD: f64 = 10_000.0;
/// Threads get this long to be ready for the first request.
const LEAD: Duration = Duration::from_millis(20);
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Offers the load, until it is over or `stop` is set.
pub(super) fn run(
    spec: &LoadSpec,
    stop: &Arc<AtomicBool>,
    watch: &mut dyn FnMut(&Progress),
) -> Result<LoadResult, LoadError> {
    if spec.protocol == Protocol::Http2 && !spec.keep_alive {
        return Err(LoadError {
            attempted: "open an HTTP/2 connection for each request".into(),
            cause: "HTTP/2 is made to share one".into(),
            help: "use HTTP/1.1 for that".into(),
        });
    }
    let (origin, requests) = origin::prepare(spec)?;
    let addresses = origin::resolve(&origin)?;
    let tls = origin.tls.then(|| tls_of(spec, &origin)).transpose()?;
    allow_descriptors(spec.most_connections);
    let threads = threads(spec);
    let until = spec.warm_up + spec.duration;
    let start = Instant::now() + LEAD;
    let requests = Arc::new(requests);
    let orders = |thread: usize| Orders {
        start,
        schedule: Schedule::new(spec.arrivals, until, Share { first: thread as u64, of: threads as u64 }),
        counted_from: spec.warm_up,
        until,
        timeout: spec.timeout,
        most_connections: share(spec.most_connections, thread, threads),
        protocol: spec.protocol,
        keep_alive: spec.keep_alive,
        addresses: addresses.clone(),
        tls: tls.clone(),
        requests: requests.clone(),
        gauges: Arc::default(),
        stop: stop.clone(),
    };
    let outcomes = on_threads((0..threads).map(orders).collect(), spec, start, watch)?;
    Ok(sum(spec, outcomes))
}

/// Runs each of the orders on a thread of its own, and shows how they come along.
fn on_threads(
    orders: Vec<Orders>,
    spec: &LoadSpec,
    start: Instant,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Vec<Outcome>, LoadError> {
    let gauges: Vec<_> = orders.iter().map(|orders| orders.gauges.clone()).collect();
    let (sender, finished) = channel();
    let threads: Vec<_> = orders
        .into_iter()
        .map(|orders| {
            let sender = sender.clone();
            std::thread::Builder::new().name("load".into()).spawn(move || {
                let outcome = lane::run(orders);
                // The receiver lives until every thread has ended.
                let _ = sender.send(());
                outcome
            })
        })
        .collect();
    drop(sender);
    let mut due = Schedule::new(spec.arrivals, spec.warm_up + spec.duration, Share::WHOLE).peekable();
    let mut offered = 0;
    loop {
        match finished.recv_timeout(WATCH_EVERY) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let elapsed = Instant::now().saturating_duration_since(start);
                while due.next_if(|due| due.at <= elapsed).is_some() {
                    offered += 1;
                }
                watch(&progress(elapsed, offered, &gauges));
            }
        }
    }
    threads.into_iter().map(joined).collect()
}

fn joined(
    thread: std::io::Result<std::thread::JoinHandle<std::io::Result<Outcome>>>,
) -> Result<Outcome, LoadError> {
    let failed = |cause: String| LoadError {
        attempted: "run a thread of the load generator".into(),
        cause,
        help: "check the limits of this process (ulimit -n, ulimit -u)".into(),
    };
    let outcome = thread.map_err(|error| failed(error.to_string()))?.join();
    outcome.map_err(|_| failed("it panicked".into()))?.map_err(|error| failed(error.to_string()))
}

fn progress(elapsed: Duration, offered: u64, gauges: &[Arc<Gauges>]) -> Progress {
    let mut progress = Progress { elapsed_s: elapsed.as_secs_f64(), offered, ..Progress::default() };
    for gauges in gauges {
        let (good, failed) = (gauges.good.load(Ordering::Relaxed), gauges.failed.load(Ordering::Relaxed));
        progress.good += good;
        progress.failed += failed;
        progress.outstanding += gauges.begun.load(Ordering::Relaxed).saturating_sub(good + failed);
    }
    progress
}

#[expect(clippy::cast_precision_loss, reason = "a rate of counts")]
fn sum(spec: &LoadSpec, outcomes: Vec<Outcome>) -> LoadResult {
    let mut result = LoadResult { generator_threads: outcomes.len() as u64, ..LoadResult::default() };
    let mut ended = Duration::ZERO;
    for outcome in outcomes {
        ended = ended.max(outcome.ended);
        result.connections += outcome.connections;
        result.generator_cpu_s += outcome.cpu.used_s;
        if let Some(waited_s) = outcome.cpu.waited_s {
            *result.generator_wait_s.get_or_insert_default() += waited_s;
        }
        outcome.tally.add_to(&mut result);
    }
    result.seconds = ended.saturating_sub(spec.warm_up).as_secs_f64();
    let answered: u64 = result.by_second.iter().map(|second| second.answered).sum();
    if result.seconds > 0.0 {
        result.goodput_per_s = answered as f64 / result.seconds;
    }
    result
}

/// How many threads a load needs: no more than there are CPUs or connections.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate of at most ten million")]
fn threads(spec: &LoadSpec) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = (spec.arrivals.per_s / PER_THREAD).ceil() as usize;
    wanted.min(cores).min(spec.most_connections).max(1)
}

/// What falls to one of several when `whole` is dealt out.
fn share(whole: usize, index: usize, of: usize) -> usize {
    (whole / of + usize::from(index < whole % of)).max(1)
}

fn tls_of(spec: &LoadSpec, origin: &Origin) -> Result<Tls, LoadError> {
    tls::client(spec.verify_certificates, spec.protocol, &origin.host)
}

/// Lets this process have a descriptor for each connection, as far as its hard limit allows (getrlimit(2)).
fn allow_descriptors(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = connections as u64 + 256;
    let allowed = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if limit.current.is_some_and(|current| current < allowed) {
        // Where it is refused, connections fail with “no file descriptor”.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum });
    }
}
