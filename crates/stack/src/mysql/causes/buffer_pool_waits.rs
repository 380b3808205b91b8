//! Statements that wait for a free page of the buffer pool.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use super::buffer_pool_small::larger;
use crate::mysql::beside::text;
use crate::mysql::view::{STATUS, View};
use crate::mysql::{pool_size, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.buffer-pool-waits",
    title: "Statements wait for a free page of InnoDB's buffer pool",
    explains: &["mysql.slow-queries", "mysql.queries-queue"],
    refutes: &[],
    document: include_str!("buffer_pool_waits.md"),
    test,
};

/// What counts the waits.
const WAITS: &str = "Innodb_buffer_pool_wait_free";
/// A pool that grows by less is not worth it.
const WORTH: f64 = 1.25;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (rate, total) = (view.per_s(WAITS)?, view.gauge(WAITS).unwrap_or(0.0));
    let dirty = view.gauge("Innodb_buffer_pool_pages_dirty");
    let all = view.gauge("Innodb_buffer_pool_pages_total").filter(|all| *all > 0.0);
    let dirty = dirty.zip(all).map(|(dirty, all)| (dirty / all * 100.0).round());
    let mut line = format!("{}: {} waits/s for a free page", view.name(), number_text(rate));
    line.push_str(
        &dirty.map_or_else(String::new, |share| format!(", {} % of the pool dirty", number_text(share))),
    );
    let outcome = if rate > 0.0 {
        Outcome::confirmed(Severity::Limiting, line).remedy(remedy(view))
    } else if total > 0.0 {
        let line = format!("{line}; {} since its start", number_text(total));
        Outcome::consistent(Severity::Hygiene, line)
            .lacks(Missing::new("a wait within the window", "look again while much is written"))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome
        .seen(view.seen(STATUS, WAITS, rate).unit("/s"))
        .seen_all(dirty.map(|share| view.seen(STATUS, "Innodb_buffer_pool_pages_dirty", share).unit("%"))))
}

/// A larger pool where memory holds one, else pages that are written back sooner.
fn remedy(view: &View<'_>) -> Remedy {
    let pool = view.number("innodb_buffer_pool_size").unwrap_or(0.0);
    let size = pool_size::most(view, pool).ok().filter(|size| view.is_here() && size.bytes >= WORTH * pool);
    if let Some(size) = size {
        return larger(view, &size).lowers("mysql.Innodb_buffer_pool_wait_free/s");
    }
    let target =
        Derived::new("pages are written back as fast as they are needed", "waits for a free page > 0")
            .input("innodb_buffer_pool_size", text(pool), "SHOW GLOBAL VARIABLES")
            .input(
                "innodb_io_capacity",
                view.variable("innodb_io_capacity").unwrap_or("not known"),
                "SHOW GLOBAL VARIABLES",
            );
    let place = "storage that takes the writes (then innodb_io_capacity at 50 to 75 % of its measured IOPS), or smaller transactions";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("a value above what the storage does makes every read wait behind writes");
    Remedy::new("Let pages be written back sooner", "Innodb_buffer_pool_wait_free stays as it is")
        .change(change)
        .lowers("mysql.Innodb_buffer_pool_wait_free/s")
}
