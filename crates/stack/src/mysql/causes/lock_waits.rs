//! Connections that wait for another's lock.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::verdicts;
use crate::mysql::view::{STATUS, View};
use crate::mysql::{Asked, LockWait};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.lock-waits",
    title: "Connections of the database wait for another's lock",
    explains: &["mysql.queries-queue", "mysql.slow-queries", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("lock_waits.md"),
    test,
};

/// A wait that is shorter may be of the moment.
const LONG_S: f64 = 1.0;
/// From so many that wait on average on, it is felt.
const WAITING: f64 = 1.0;
/// So many are named.
const NAMED: usize = 3;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

/// What is known of the waits.
struct Seen<'a> {
    listed: &'a [LockWait],
    /// Connections that waited for a row on average over the window.
    mean: Option<f64>,
    /// Connections in a state that waits for a table's metadata.
    metadata: u64,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let asked = view.asked()?;
    // Innodb_row_lock_time counts a wait in ms once it has ended.
    let seen = Seen {
        listed: &asked.lock_waits,
        mean: view.per_s("Innodb_row_lock_time").ok().map(|ms| ms / 1000.0),
        metadata: metadata(asked),
    };
    let long = seen.listed.iter().filter(|wait| wait.waited_s.is_some_and(|waited| waited >= LONG_S));
    let long: Vec<_> = long.collect();
    let asleep = seen.listed.iter().any(|wait| wait.holder_sleeps == Some(true));
    let line = line(view, &seen);
    let outcome = if !long.is_empty() || seen.metadata > 0 || seen.mean.is_some_and(|mean| mean >= WAITING) {
        Outcome::confirmed(Severity::Limiting, line).remedy(remedy(&seen, asleep))
    } else if !seen.listed.is_empty() {
        Outcome::consistent(Severity::Latent, line)
            .lacks(Missing::new("a wait of a second", "look again: such a wait may be of the moment"))
    } else if let Some(missing) = view.asked_for("waits for locks").err() {
        return Err(missing);
    } else if seen.mean.is_none() {
        return Err(Missing::new(
            format!("Innodb_row_lock_time of {}", view.name()),
            "read the server twice; PROCESS lets narrows see who waits",
        ));
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome.seen_all(observations(view, &seen)))
}

fn metadata(asked: &Asked) -> u64 {
    let waits = |state: &&String| state.contains("metadata lock") || state.contains("table level lock");
    let states = &asked.processlist.states;
    states.keys().filter(waits).filter_map(|state| states.get(state)).sum()
}

fn line(view: &View<'_>, seen: &Seen<'_>) -> String {
    let mut parts = vec![];
    parts
        .extend(seen.mean.map(|mean| {
            format!("{} wait for a row on average", number_text((mean * 100.0).round() / 100.0))
        }));
    if seen.metadata > 0 {
        parts.push(format!("{} wait for a table", seen.metadata));
    }
    let named = seen.listed.iter().take(NAMED).map(|wait| {
        let waited = wait.waited_s.map_or_else(String::new, |s| format!(" for {} s", number_text(s.round())));
        let sleeps = if wait.holder_sleeps == Some(true) { ", which sleeps in a transaction" } else { "" };
        format!("{} waits{waited} on {} for {}{sleeps}", wait.waiting, wait.table, wait.holding)
    });
    parts.extend(named);
    if seen.listed.len() > NAMED {
        parts.push(format!("and {} more", seen.listed.len() - NAMED));
    }
    format!("{}: {}", view.name(), parts.join("; "))
}

fn observations(view: &View<'_>, seen: &Seen<'_>) -> Vec<Observation> {
    let mean = seen.mean.map(|mean| view.seen(STATUS, "Innodb_row_lock_time, waiting on average", mean));
    let listed = seen.listed.iter().take(NAMED).map(|wait| {
        let value = format!("{} waits for {}", wait.waiting, wait.holding);
        Observation::new(view.source("lock waits"), wait.table.clone(), value)
    });
    mean.into_iter().chain(listed).collect()
}

fn remedy(seen: &Seen<'_>, asleep: bool) -> Remedy {
    let holders: std::collections::BTreeSet<_> = seen.listed.iter().map(|wait| wait.holding).collect();
    let holders: Vec<_> = holders.iter().map(u64::to_string).collect();
    let what = match asleep {
        true => {
            "commit before anything else is waited for: a connection that sleeps in a transaction keeps its locks"
        }
        false => {
            "shorter transactions, and an index for what they look for: without one every row that is read is locked"
        }
    };
    let target = Derived::new(what, "connections that hold what others wait for").input(
        "connections",
        if holders.is_empty() { "not listed".to_owned() } else { holders.join(", ") },
        "lock waits at the end of the window",
    );
    let place = "the application: the transactions of these connections; DDL of live tables in quiet hours";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("KILL of a connection takes its transaction back");
    Remedy::new(
        "Shorten the transactions that hold the locks",
        "Innodb_row_lock_time grows by less than 1 s a second",
    )
    .change(change)
    .lowers("mysql.Innodb_row_lock_time/s")
}
