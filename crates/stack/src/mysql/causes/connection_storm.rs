//! A thread that is made anew for most connections.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::mysql::beside::{cpus, whole};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.connection-storm",
    title: "The database makes a new thread for most of its connections",
    explains: &["mysql.queries-queue", "mysql.too-many-connections"],
    refutes: &[],
    document: include_str!("connection_storm.md"),
    test,
};

/// From so many new threads a second on, making them is work.
const PER_S: f64 = 10.0;
/// From this share of connections without a thread that waits for them on, the cache does not hold what comes and goes.
const SHARE: f64 = 0.2;
/// From so many new connections a second on, logging in is work of its own.
const CONNECTIONS_PER_S: f64 = 200.0;
/// Threads that run for each CPU, from which on they are in each other's way.
const PER_CPU: f64 = 4.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if view.variable("thread_handling").is_some_and(|handling| handling.contains("pool")) {
        return Ok(Outcome::ruled_out(format!("{}: a pool of threads serves all connections", view.name())));
    }
    let (created, opened) = (view.per_s("Threads_created")?, view.per_s("Connections")?);
    let statements = view.per_s("Questions").ok().filter(|_| opened > 0.0).map(|each| each / opened);
    let share = if opened > 0.0 { (created / opened).min(1.0) } else { 0.0 };
    let cache = view.number("thread_cache_size");
    let mut line = format!(
        "{}: {} connections/s, {} new threads/s ({} %)",
        view.name(),
        number_text(opened),
        number_text(created),
        number_text(percent(share))
    );
    line.push_str(
        &cache.map_or_else(String::new, |cache| format!(", thread_cache_size {}", number_text(cache))),
    );
    line.push_str(&statements.map_or_else(String::new, |each| {
        format!(", {} statements a connection", number_text((each * 10.0).round() / 10.0))
    }));
    let outcome = if created >= PER_S && share >= SHARE {
        let outcome = Outcome::confirmed(severity(view), line);
        match remedy(view, cache) {
            Some(remedy) => outcome.remedy(remedy),
            None => outcome,
        }
    } else if opened >= CONNECTIONS_PER_S {
        Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "whether logging in is felt",
            "each costs a handshake: measure pages with persistent connections, or with a proxy that keeps them",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome
        .seen(view.seen(STATUS, "Connections", opened).unit("/s"))
        .seen(view.seen(STATUS, "Threads_created", created).unit("/s"))
        .seen_all(view.seen_variable("thread_cache_size")))
}

/// It limits where clients are turned away, or threads are in each other's way, at the same time.
fn severity(view: &View<'_>) -> Severity {
    let turned_away = view.grown("Connection_errors_max_connections").is_ok_and(|grown| grown > 0.0);
    let cpus = cpus(view.evidence).ok().filter(|_| view.is_here());
    let crowded = cpus
        .zip(view.at_least("Threads_running").ok())
        .is_some_and(|(cpus, running)| running >= PER_CPU * cpus);
    if turned_away || crowded { Severity::Limiting } else { Severity::Latent }
}

/// A cache that holds the busiest moment; `None` where it does already.
fn remedy(view: &View<'_>, cache: Option<f64>) -> Option<Remedy> {
    let peak = view.gauge("Max_used_connections")?;
    let most = view.number("max_connections").unwrap_or(peak);
    let wanted = peak.min(most);
    if cache.is_some_and(|cache| cache >= wanted) {
        return None;
    }
    let target = Derived::new(whole(wanted), "min(peak, max_connections)")
        .input("peak", whole(peak), "Max_used_connections")
        .input("max_connections", whole(most), "SHOW GLOBAL VARIABLES");
    let change = edits::set(view, "thread_cache_size", target)
        .risks("a thread that waits keeps its stack: some 100 KiB of memory each");
    let title = format!("Let {} keep {} threads for the next connections", view.name(), number_text(wanted));
    Some(
        Remedy::new(title, "Threads_created grows by less than 1/s")
            .change(change)
            .lowers("mysql.Threads_created/s"),
    )
}
