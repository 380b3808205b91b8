//! What is read of the host while a block runs: as `narrows check` reads it, at its cost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use host::Host;
use model::Verdict;
use prove::trial::{Confirmation, Probe, Probed};
use rustix::time::{ClockId, clock_gettime};
use stack::collect::{Plan, collect_until};
use stack::{Evidence, figures};

use crate::arguments::databases::Databases;
use crate::target;

/// The longest block of a command whose length nobody knows.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The figure of memory in use.
pub(crate) const MEMORY: &str = "memory";

/// Reads the host while a block runs, and diagnoses what it read.
pub(crate) struct HostProbe {
    host: Arc<dyn Host>,
    causes: Vec<String>,
    figures: Vec<String>,
    looking: Option<Looking>,
}

/// A reading that goes on.
struct Looking {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Look>,
}

/// What a reading brought.
struct Look {
    evidence: Evidence,
    own_cpu_s: f64,
    most_memory_bytes: Option<f64>,
}

impl HostProbe {
    /// Looks for these causes and these figures.
    pub(crate) fn new(causes: Vec<String>, figures: Vec<String>) -> Self {
        let host = target::host(&Databases::default()).unwrap_or_default();
        Self { host: Arc::new(host), causes, figures, looking: None }
    }

    fn probed(&self, look: &Look) -> Probed {
        let evidence = &look.evidence;
        let seconds = evidence.seconds();
        let figure = |name: &String| Some((name.clone(), figures::figure(evidence, name)?));
        let mut found: BTreeMap<String, f64> = self.figures.iter().filter_map(figure).collect();
        found.extend(look.most_memory_bytes.map(|bytes| (MEMORY.to_owned(), bytes)));
        let cpu_s = busy_s(evidence).map(|busy| busy - look.own_cpu_s).filter(|cpu| *cpu > 0.0);
        Probed { cpu_s, seconds, figures: found, causes: self.causes(evidence) }
    }

    fn causes(&self, evidence: &Evidence) -> BTreeMap<String, Confirmation> {
        if self.causes.is_empty() {
            return BTreeMap::new();
        }
        let report = stack::diagnose(evidence);
        let wanted = report.causes.iter().filter(|cause| self.causes.contains(&cause.id));
        let confirmation = |verdict| match verdict {
            Verdict::Confirmed => Confirmation::Confirmed,
            Verdict::RuledOut | Verdict::Consistent => Confirmation::NotConfirmed,
            Verdict::Unknown => Confirmation::Unknown,
        };
        wanted.map(|cause| (cause.id.clone(), confirmation(cause.verdict))).collect()
    }
}

impl Probe for HostProbe {
    fn begin(&mut self, length: Option<Duration>) {
        let (host, stop) = (Arc::clone(&self.host), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let reader = std::thread::spawn(move || look(&host, length.unwrap_or(DAY), &stopped));
        self.looking = Some(Looking { stop, reader });
    }

    fn end(&mut self) -> Probed {
        let Some(Looking { stop, reader }) = self.looking.take() else { return Probed::default() };
        stop.store(true, Ordering::Relaxed);
        reader.join().map(|look| self.probed(&look)).unwrap_or_default()
    }
}

fn look(host: &Arc<dyn Host>, window: Duration, stop: &AtomicBool) -> Look {
    let before = own_cpu();
    let mut least_available = None;
    let mut watch = |_| {
        let available = meminfo(&**host, "MemAvailable");
        least_available = [least_available, available].into_iter().flatten().reduce(f64::min);
    };
    let evidence = collect_until(host, Plan::over(window), stop, &mut watch);
    let own_cpu_s = own_cpu().saturating_sub(before).as_secs_f64();
    let total = meminfo(&**host, "MemTotal");
    let most_memory_bytes = total.zip(least_available).map(|(total, available)| total - available);
    Look { evidence, own_cpu_s, most_memory_bytes }
}

/// CPU time of this process with all its threads: the load generator and the reading itself.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A figure of `/proc/meminfo` in bytes.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn meminfo(host: &dyn Host, name: &str) -> Option<f64> {
    let mut bytes = Vec::new();
    host.read_into("/proc/meminfo", &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? as f64 * 1024.0)
}

/// CPU time that was used on all CPUs over the window, in seconds: ticks of 1/100 s (proc(5) `/proc/stat`), guests within
/// user time.
#[expect(clippy::cast_precision_loss, reason = "ticks of a window")]
fn busy_s(evidence: &Evidence) -> Option<f64> {
    let span = evidence.span(|reading| &reading.cpu).ok()?;
    let busy = |times: &stack::cpu::Times| times.user + times.nice + times.system + times.irq + times.softirq;
    let ticks = busy(&span.last.total).checked_sub(busy(&span.first.total))?;
    Some(ticks as f64 / 100.0)
}
