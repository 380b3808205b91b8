//! A buffer pool that leaves PHP-FPM no memory.

use model::{Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::stalled;
use crate::memory::rates::swapping;
use crate::mysql::beside::{self, Php, meminfo, reserve, text};
use crate::mysql::pool_size;
use crate::mysql::view::View;
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.buffer-pool-starves-php",
    title: "InnoDB's buffer pool and PHP-FPM together want more memory than there is",
    explains: &["memory.near-limit", "memory.pressure", "memory.swapping", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("buffer_pool_starves_php.md"),
    test,
};

/// From so many pages a second in each direction on, what is swapped out is wanted again.
const PAGES_PER_S: f64 = 10.0;
/// From this share of the window with a task stalled on memory on, it is felt.
const PRESSURE: f64 = 0.10;
/// A pool below this is no use: then the pools of PHP-FPM are what must shrink.
const LEAST: f64 = 134_217_728.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if !view.is_here() {
        return Ok(Outcome::ruled_out(format!("{} runs on another host", view.name())));
    }
    let Some(php) = beside::php(view.evidence)? else {
        return Ok(Outcome::ruled_out(format!("no PHP-FPM beside {}", view.name())));
    };
    let pool = view.needs("innodb_buffer_pool_size")?;
    let total = meminfo(view.evidence, "MemTotal")?;
    let wanted = pool + php.bytes + reserve(total);
    let line = format!(
        "{}: pool {} + PHP-FPM {} ({}) + {} for the rest = {} of {} memory",
        view.name(),
        text(pool),
        text(php.bytes),
        php.line,
        text(reserve(total)),
        text(wanted),
        text(total)
    );
    let outcome = if wanted <= total {
        Outcome::ruled_out(line)
    } else if is_felt(view.evidence) {
        with_remedy(
            Outcome::confirmed(Severity::Limiting, format!("{line}; it is felt now")),
            view,
            total,
            &php,
        )
    } else {
        with_remedy(Outcome::confirmed(Severity::Latent, line), view, total, &php)
    };
    Ok(outcome
        .seen_all(view.seen_variable("innodb_buffer_pool_size"))
        .seen(view.seen("Σ pm.max_children × p95 private", "memory of all workers", php.bytes).unit("bytes"))
        .seen(view.seen("/proc/meminfo", "MemTotal", total).unit("bytes")))
}

/// Whether pages go both ways, or tasks wait for memory.
fn is_felt(evidence: &Evidence) -> bool {
    let swapped = evidence.span(|reading| &reading.memory).ok().and_then(|span| swapping(&span));
    let thrashes =
        swapped.is_some_and(|rates| rates.in_per_s >= PAGES_PER_S && rates.out_per_s >= PAGES_PER_S);
    let span = evidence.span(|reading| &reading.cpu).ok();
    let pressure = span.and_then(|span| stalled(&span, |cpu| cpu.pressure_memory.as_ref()));
    thrashes || pressure.is_some_and(|share| share >= PRESSURE)
}

fn with_remedy(outcome: Outcome, view: &View<'_>, total: f64, php: &Php) -> Outcome {
    let size = pool_size::beside(view, total, php);
    if size.bytes <= LEAST {
        return outcome.lacks(Missing::new(
            "room for a buffer pool beside PHP-FPM",
            "its workers alone want the memory: see php-fpm.memory-overcommitted",
        ));
    }
    let change = edits::set(view, "innodb_buffer_pool_size", size.derived())
        .coupled_with("pm.max_children of the pools beside it, which need the same memory")
        .risks("statements may wait for a moment while it shrinks, and more reads go to the disk afterwards");
    let title = format!("Let {} have a buffer pool of {}", view.name(), text(size.bytes));
    let moves = "memory holds the pool and all workers: no page goes to swap space";
    outcome.remedy(Remedy::new(title, moves).change(change))
}
