//! How much one Nginx can hold: workers, connections and descriptors.

use host::text;
use model::{Missing, Observation};

use super::configuration::{Configuration, Context, Directive};
use super::findings::{Subject, per_s};

/// Connections of a worker where nothing is set (ngx_core_module).
const CONNECTIONS_BY_DEFAULT: u64 = 512;
/// Descriptors of a worker that no connection takes: listening sockets, logs, the event queue, channels to the master.
/// Measured on Debian 12: 10 with one worker and one address.
pub(super) const DESCRIPTORS_BESIDE: u64 = 16;

/// `worker_connections`, and where it is set.
pub(super) fn worker_connections(configuration: &Configuration) -> (u64, Option<&Directive>) {
    let set = configuration.in_block("events", "worker_connections");
    let number = set.and_then(Directive::first).and_then(|text| text.parse().ok());
    (number.unwrap_or(CONNECTIONS_BY_DEFAULT), set)
}

/// The block `events`.
pub(super) fn events(configuration: &Configuration) -> Option<Context<'_>> {
    configuration.blocks(&["events"]).into_iter().next()
}

/// Everything outside of all blocks.
pub(super) fn outside(configuration: &Configuration) -> Option<Context<'_>> {
    configuration.contexts().into_iter().next()
}

/// The descriptors that a worker may have, and where that was read: of running workers, else as configured.
pub(super) fn descriptors(subject: &Subject) -> Option<Observation> {
    let workers = &subject.instance.workers;
    let running = workers.iter().filter_map(|worker| Some((worker.open_files_limit?, worker.pid))).min();
    let running =
        running.map(|(limit, pid)| Observation::new(format!("/proc/{pid}/limits"), "Max open files", limit));
    let configured = || {
        let set = subject.configuration().main("worker_rlimit_nofile")?;
        Some(Observation::new(set.place(), set.name.clone(), set.first()?.parse::<u64>().ok()?))
    };
    running.or_else(configured)
}

/// The worker that has most files open.
pub(super) fn most_open(subject: &Subject) -> Option<(u64, Observation)> {
    let open = subject.instance.workers.iter().filter_map(|worker| Some((worker.open_files?, worker.pid)));
    open.max().map(|(files, pid)| (files, Observation::new(format!("/proc/{pid}/fd"), "open files", files)))
}

/// How many workers there are: those that run, else as many as are configured.
pub(super) fn workers(subject: &Subject) -> u64 {
    match subject.instance.workers.len() as u64 {
        0 => configured_workers(subject).unwrap_or(1),
        running => running,
    }
}

fn configured_workers(subject: &Subject) -> Option<u64> {
    match subject.configuration().main("worker_processes").and_then(Directive::first) {
        None => Some(1),
        Some("auto") => subject.evidence.host.cpus.map(u64::from),
        Some(number) => number.parse().ok(),
    }
}

/// The CPUs that workers can use, and why not more: the host's, those they may run on, or the quota of their control group.
///
/// # Errors
/// When the host does not say how many CPUs it has.
pub(super) fn cpus(subject: &Subject) -> Result<(f64, Observation), Missing> {
    let host = subject.evidence.host.cpus;
    let host =
        host.ok_or_else(|| Missing::new("/proc/stat CPUs", "read the host again, with /proc mounted"))?;
    let mut least = (f64::from(host), Observation::new("/proc/stat", "CPUs", host));
    let mut allowed = subject
        .instance
        .workers
        .iter()
        .filter_map(|worker| Some((worker.pid, worker.cpus_allowed.as_ref()?)));
    // Workers that are each bound to a CPU of their own (`worker_cpu_affinity`) have all of them together.
    let bound = subject.configuration().main("worker_cpu_affinity").is_some();
    if let Some((pid, list)) = allowed.next().filter(|_| !bound) {
        let count = u32::try_from(text::cpu_list(list).len()).unwrap_or(host).max(1);
        if f64::from(count) < least.0 {
            least = (
                f64::from(count),
                Observation::new(format!("/proc/{pid}/status"), "Cpus_allowed_list", list.clone()),
            );
        }
    }
    match quota(subject) {
        Some((quota, seen)) if quota < least.0 => Ok((quota, seen)),
        _ => Ok(least),
    }
}

/// The tightest CPU quota of the control group of the master or one around it.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a period")]
fn quota(subject: &Subject) -> Option<(f64, Observation)> {
    let own = subject.instance.cgroup.as_deref()?;
    let groups = &subject.evidence.latest(|reading| &reading.cgroup).ok()?.groups;
    let around = groups.iter().filter(|group| {
        own.strip_prefix(group.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let quotas = around.filter_map(|group| {
        let cpus = group.quota_us? as f64 / group.period_us.filter(|period| *period > 0)? as f64;
        Some((cpus, Observation::new(format!("cgroup {}", group.path), "quota", cpus).unit("CPUs")))
    });
    quotas.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The share of one CPU that each worker took over the window, the busiest first.
///
/// # Errors
/// When it does not run, or was read once only.
pub(super) fn shares(subject: &Subject) -> Result<Vec<(f64, u32)>, Missing> {
    let (first, last, seconds) = subject.counters()?;
    let share = |worker: &super::WorkerCounters| {
        let before = first.workers.iter().find(|other| other.pid == worker.pid)?;
        let ticks = worker.cpu_ticks.checked_sub(before.cpu_ticks)?;
        Some((per_s(ticks, seconds) / 100.0, worker.pid))
    };
    let mut shares: Vec<_> = last.workers.iter().filter_map(share).collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(shares)
}

/// The least power of two that holds a number, between bounds.
pub(super) fn power_of_two(number: f64, least: u64, most: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let number = if number.is_finite() { number.ceil().clamp(1.0, 1e9) as u64 } else { most };
    number.next_power_of_two().clamp(least, most)
}
