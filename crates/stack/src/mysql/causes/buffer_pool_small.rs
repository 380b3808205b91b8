//! A buffer pool that misses while memory is free.

use model::observation::number_text;
use model::{Change, ChangeKind, Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::mysql::beside::{text, whole};
use crate::mysql::pool_size::{self, Size, innodb_bytes};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.buffer-pool-small",
    title: "InnoDB's buffer pool is too small for what is read",
    explains: &["mysql.slow-queries", "disk.latency-high", "cpu.iowait-high", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("buffer_pool_small.md"),
    test,
};

/// From this share of reads that go to the disk on, the pool does not hold what is used.
const MISSES: f64 = 0.01;
/// Fewer reads a second than these are no load.
const READS_PER_S: f64 = 10.0;
/// From so many reads a second on, they are felt.
const FELT_PER_S: f64 = 100.0;
/// While more of the pool than this is empty, it only warms up.
const EMPTY: f64 = 0.05;
/// A pool that grows by less is not worth it.
const WORTH: f64 = 1.25;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let pool = view.needs("innodb_buffer_pool_size")?;
    let reads = view.per_s("Innodb_buffer_pool_reads")?;
    let requests = view.per_s("Innodb_buffer_pool_read_requests")?;
    let share = if requests > 0.0 { (reads / requests).min(1.0) } else { 0.0 };
    let data = innodb_bytes(view);
    let mut line = format!(
        "{}: {} of {} page reads/s miss ({} %), pool {}",
        view.name(),
        number_text(reads),
        number_text(requests),
        number_text(percent(share)),
        text(pool)
    );
    line.push_str(&data.map_or_else(String::new, |data| format!(", data {}", text(data))));
    let outcome = if share < MISSES || reads < READS_PER_S {
        Outcome::ruled_out(line)
    } else if empty(view).is_some_and(|empty| empty >= EMPTY) {
        Outcome::ruled_out(format!("{line}; part of it is still empty: it warms up"))
    } else if data.is_some_and(|data| data <= pool) {
        Outcome::ruled_out(format!("{line}: all data fit"))
    } else if data.is_none() {
        Outcome::consistent(severity(reads), line)
            .lacks(Missing::new("size of InnoDB's data", "let narrows read information_schema.TABLES"))
    } else {
        with_remedy(Outcome::confirmed(severity(reads), line), view, pool)
    };
    let empty = view.gauge("Innodb_buffer_pool_pages_free");
    Ok(outcome
        .seen(view.seen(STATUS, "Innodb_buffer_pool_reads", reads).unit("/s"))
        .seen(view.seen(STATUS, "Innodb_buffer_pool_read_requests", requests).unit("/s"))
        .seen_all(view.seen_variable("innodb_buffer_pool_size"))
        .seen_all(empty.map(|pages| view.seen(STATUS, "Innodb_buffer_pool_pages_free", pages))))
}

fn severity(reads: f64) -> Severity {
    if reads >= FELT_PER_S { Severity::Limiting } else { Severity::Latent }
}

/// The share of the pool that holds nothing yet. So many pages as `innodb_lru_scan_depth` says are kept free for what is read
/// next, however long the server runs: of a pool of 128 MiB a fifth.
fn empty(view: &View<'_>) -> Option<f64> {
    let total = view.gauge("Innodb_buffer_pool_pages_total").filter(|total| *total > 0.0)?;
    let kept = view.number("innodb_lru_scan_depth").unwrap_or(0.0);
    Some((view.gauge("Innodb_buffer_pool_pages_free")? - kept).max(0.0) / total)
}

fn with_remedy(outcome: Outcome, view: &View<'_>, pool: f64) -> Outcome {
    if !view.is_here() {
        return outcome.lacks(Missing::new(
            format!("memory of the host of {}", view.name()),
            "run narrows there, or look at what its provider gives: three quarters of it are the pool's",
        ));
    }
    match pool_size::most(view, pool) {
        Ok(size) if size.bytes >= WORTH * pool => outcome.remedy(larger(view, &size)),
        Ok(size) => outcome.remedy(less(view, &size)),
        Err(missing) => outcome.lacks(missing),
    }
}

const MOVES: &str = "Innodb_buffer_pool_reads fall below 1 % of Innodb_buffer_pool_read_requests";
const METRIC: &str = "mysql.Innodb_buffer_pool_reads/s";

/// A larger pool, while the server runs where it may grow so far.
pub(super) fn larger(view: &View<'_>, size: &Size) -> Remedy {
    let name = "innodb_buffer_pool_size";
    let bounded = view.number("innodb_buffer_pool_size_max").is_some_and(|most| most < size.bytes);
    let change = match bounded {
        true => edits::set_at_start(view, name, size.derived())
            .coupled_with("innodb_buffer_pool_size_max, beyond which the running server does not go"),
        false => edits::set(view, name, size.derived()),
    };
    let change = change
        .coupled_with("pm.max_children of the pools beside it, which need the same memory")
        .risks("statements may wait for a moment while it is resized; memory that PHP-FPM has not taken yet is counted as taken");
    let title = format!("Give {} a buffer pool of {}: {} binds", view.name(), text(size.bytes), size.binds);
    Remedy::new(title, MOVES).change(change).lowers(METRIC)
}

/// No memory for a larger one: statements that read less.
fn less(view: &View<'_>, size: &Size) -> Remedy {
    let mut target = size.derived();
    target.value = format!("no larger pool: {} binds at {} bytes", size.binds, whole(size.bytes));
    let place = "the statements that read most: `narrows queries digest`, then `narrows queries advise`; or more memory";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("none of this host's");
    Remedy::new(format!("Let {} read less, or give its host memory", view.name()), MOVES)
        .change(change)
        .lowers(METRIC)
}
