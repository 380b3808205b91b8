//! A query cache that statements wait for.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.query-cache-contended",
    title: "Statements wait for the lock of the query cache",
    explains: &["mysql.queries-queue", "mysql.slow-queries"],
    refutes: &[],
    document: include_str!("query_cache_contended.md"),
    test,
};

/// Below this share of lookups that find something, it costs more than it saves.
const HITS: f64 = 0.5;
/// Fewer lookups a second are no load.
const PER_S: f64 = 50.0;
/// So many connections in the state of waiting are no accident.
const WAITING: u64 = 2;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if !view.is_mariadb() && view.since(8, 0, 3) == Some(true) {
        return Ok(Outcome::ruled_out(format!("{} has no query cache", view.name())));
    }
    let asked = view.asked()?;
    let kind = view.variable("query_cache_type").unwrap_or("OFF");
    let size = view.number("query_cache_size").unwrap_or(0.0);
    if ["OFF", "0"].contains(&kind) || size <= 0.0 {
        return Ok(Outcome::ruled_out(format!("{}: the query cache is off", view.name()))
            .seen_all(view.seen_variable("query_cache_type")));
    }
    let waits = |state: &&String| state.contains("query cache lock");
    let states = &asked.processlist.states;
    let waiting: u64 = states.keys().filter(waits).filter_map(|state| states.get(state)).sum();
    let (hits, inserts) = (view.per_s("Qcache_hits")?, view.per_s("Qcache_inserts")?);
    let lookups = hits + inserts;
    let share = if lookups > 0.0 { hits / lookups } else { 0.0 };
    let pruned = view.per_s("Qcache_lowmem_prunes").unwrap_or(0.0);
    let line = format!(
        "{}: query cache {kind}, {} % of {} lookups/s hit, {} thrown out/s, {waiting} wait for its lock",
        view.name(),
        number_text(percent(share)),
        number_text(lookups),
        number_text(pruned)
    );
    let outcome = if waiting >= WAITING {
        Outcome::confirmed(Severity::Limiting, line).remedy(off(view, share))
    } else if share < HITS && lookups >= PER_S {
        Outcome::confirmed(Severity::Latent, line).remedy(off(view, share))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome
        .seen(view.seen(STATUS, "Qcache_hits", hits).unit("/s"))
        .seen(view.seen(STATUS, "Qcache_inserts", inserts).unit("/s"))
        .seen_all(view.seen_variable("query_cache_type")))
}

fn off(view: &View<'_>, share: f64) -> Remedy {
    let target = Derived::new(
        "OFF",
        "one lock for all statements, and each write throws out what it holds of the table",
    )
    .input("hits", format!("{} %", number_text(percent(share))), "Qcache_hits, Qcache_inserts");
    let change = edits::set(view, "query_cache_type", target)
        .coupled_with(
            "query_cache_size = 0 in the same file: the server turns the cache on where it is larger",
        )
        .risks("statements that hit it are run: cache pages instead, where many are the same");
    Remedy::new(
        format!("Turn the query cache of {} off", view.name()),
        "nobody waits for the query cache lock",
    )
    .change(change)
    .lowers("mysql.Threads_running")
}
