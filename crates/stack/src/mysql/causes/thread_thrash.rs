//! Far more statements at once than CPUs.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{self, percent};
use crate::mysql::beside::{cpus, whole};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{Flavor, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.thread-thrash",
    title: "The database runs far more statements at once than there are CPUs",
    explains: &["mysql.queries-queue", "mysql.slow-queries", "cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("thread_thrash.md"),
    test,
};

/// From so many threads for each CPU on that run at both ends of the window, they wait for each other.
const PER_CPU: f64 = 4.0;
/// Fewer threads than these are no crowd, on however few CPUs.
const CROWD: f64 = 16.0;
/// Below this share of free CPU time, CPUs are what they wait for.
const FREE: f64 = 0.25;
/// From this share of the CPU time in use on, it is the database that uses it.
const OWN: f64 = 0.5;
/// Statements at once for each CPU that keep it busy while some wait for a disk or a lock.
const USEFUL: f64 = 8.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let running = view.at_least("Threads_running")?;
    let few = format!("{}: {} statements run", view.name(), number_text(running));
    if running < CROWD {
        return Ok(seen(Outcome::ruled_out(few), view, running));
    }
    if !view.is_here() {
        return Err(Missing::new(
            format!("CPUs of {}, which runs elsewhere: {} statements run", view.name(), number_text(running)),
            "run narrows on its host, or compare with the CPUs that its provider names",
        ));
    }
    let cpus = cpus(view.evidence)?;
    let line =
        format!("{}: {} statements run on {} CPUs", view.name(), number_text(running), number_text(cpus));
    if running < PER_CPU * cpus {
        return Ok(seen(Outcome::ruled_out(line), view, running));
    }
    let span = view.evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let free = total.free();
    let switches = span.first.context_switches.zip(span.last.context_switches);
    let switches = switches.and_then(|(first, last)| model::counter::per_second(first, last, span.seconds));
    let mut line = format!("{line}, {} % of CPU time free", number_text(percent(free)));
    line.push_str(
        &switches.map_or_else(String::new, |rate| format!(", {} context switches/s", number_text(rate))),
    );
    if free >= FREE {
        let line = format!("{line}: they wait for locks or disks, not for CPUs");
        return Ok(seen(Outcome::ruled_out(line), view, running));
    }
    let own = own_share(view, total.busy() * cpus * span.seconds);
    let outcome = match own {
        Some(own) if own >= OWN => {
            let line = format!("{line}; {} % of what is used is the database's", number_text(percent(own)));
            with_remedies(Outcome::confirmed(Severity::Limiting, line), view, cpus)
        }
        Some(own) => Outcome::ruled_out(format!(
            "{line}; {} % of what is used is the database's",
            number_text(percent(own))
        )),
        None => Outcome::consistent(Severity::Limiting, line).lacks(Missing::new(
            "CPU time of the database",
            "mount /proc without hidepid, or run narrows as root",
        )),
    };
    let outcome = outcome.seen(Observation::new("/proc/stat", "cpu idle + iowait", percent(free)).unit("%"));
    let switches = switches.map(|rate| Observation::new("/proc/stat", "ctxt", rate).unit("/s"));
    Ok(seen(outcome.seen_all(switches), view, running))
}

fn seen(outcome: Outcome, view: &View<'_>, running: f64) -> Outcome {
    outcome
        .seen(view.seen(STATUS, "Threads_running, at both ends at least", running))
        .seen_all(view.seen_variable("thread_handling"))
}

/// The share of CPU time in use that the server's program used, 0 to 1.
fn own_share(view: &View<'_>, busy_s: f64) -> Option<f64> {
    (busy_s > 0.0).then_some(())?;
    own_cpu_s(view).map(|used| (used.0 / busy_s).min(1.0))
}

/// CPU seconds that the server's program used over the window, and its length.
#[expect(clippy::cast_precision_loss, reason = "clock ticks of a window")]
pub(super) fn own_cpu_s(view: &View<'_>) -> Option<(f64, f64)> {
    let program = view.server.process.as_ref()?.program.as_str();
    let span = view.evidence.span(|reading| &reading.tasks).ok()?;
    let of = |facts: &crate::tasks::Facts| {
        let own = facts.cpu.iter().find(|one| one.command == program);
        own.map(|own| own.user.saturating_add(own.system))
    };
    let (first, last) = (of(span.first).unwrap_or(0), of(span.last)?);
    Some((model::counter::growth(first, last)? as f64 / 100.0, span.seconds))
}

fn with_remedies(outcome: Outcome, view: &View<'_>, cpus: f64) -> Outcome {
    let pooled = view.variable("thread_handling").is_some_and(|handling| handling.contains("pool"));
    let outcome = match (view.server.flavor, pooled) {
        (Flavor::MySql, _) => outcome,
        (_, true) => outcome.remedy(smaller_pool(view, cpus)),
        (_, false) => outcome.remedy(pool_of_threads(view, cpus)),
    };
    outcome.remedy(queue(view, cpus))
}

fn threads(cpus: f64) -> Derived {
    Derived::new(whole(cpus * USEFUL), "8 × CPUs").input("CPUs", number_text(cpus), "/proc/stat")
}

const MOVES: &str = "Threads_running falls to 8 × CPUs and below, context switches with it";
const METRIC: &str = "mysql.Threads_running";

/// A pool of threads; what bounds it is `thread_pool_max_threads`.
fn pool_of_threads(view: &View<'_>, cpus: f64) -> Remedy {
    let handling = Derived::new("pool-of-threads", "a thread serves whichever connection has a statement");
    let risk = "while so many threads wait for locks, no other connection is served: keep extra_port for administrators";
    let handling = edits::set_at_start(view, "thread_handling", handling)
        .coupled_with(
            "extra_port and extra_max_connections, by which administrators get in when all threads wait",
        )
        .risks(risk);
    let most = edits::set_at_start(view, "thread_pool_max_threads", threads(cpus))
        .coupled_with("thread_handling; thread_pool_size is the CPUs already, and does not bound the threads")
        .risks(risk);
    Remedy::new(format!("Let a pool of threads serve the connections of {}", view.name()), MOVES)
        .change(handling)
        .change(most)
        .lowers(METRIC)
}

fn smaller_pool(view: &View<'_>, cpus: f64) -> Remedy {
    let change = edits::set(view, "thread_pool_max_threads", threads(cpus))
        .coupled_with("extra_port, by which administrators get in when all threads wait")
        .risks("while so many threads wait for locks, no other connection is served");
    Remedy::new(format!("Bound the pool of threads of {}", view.name()), MOVES).change(change).lowers(METRIC)
}

fn queue(view: &View<'_>, cpus: f64) -> Remedy {
    let place = "a proxy in front of the database: ProxySQL max_connections of mysql_servers, or HAProxy maxconn of the server";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, threads(cpus))
        .coupled_with("the limits of all proxies together, where there are several")
        .risks("connections that are idle inside a transaction hold a place, too");
    Remedy::new(format!("Let clients queue in front of {}", view.name()), MOVES).change(change).lowers(METRIC)
}
