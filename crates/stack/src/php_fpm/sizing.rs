//! How many workers a pool may have, and how many it needs.
//!
//! The smallest of what memory holds, what the CPUs keep busy, what the database takes, and what is asked for.

use model::observation::number_text;
use model::{Derived, Input};

use super::database;
use super::view::View;
use crate::cpu::shares;

/// This share of memory stays free.
const FREE_SHARE: f64 = 0.15;
/// So many more workers than CPUs keep busy, since not all wait at the same time.
const CPU_SLACK: f64 = 1.2;
/// This share of the database's connections may be the pools'.
const DATABASE_SHARE: f64 = 0.8;
/// At this use of its workers a pool still has one for the next request.
const COMFORTABLE: f64 = 0.8;
/// From this share of CPU time on, more workers only wait for CPUs.
const CPUS_FULL: f64 = 0.9;

/// One limit of a pool's size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    /// What limits it: `memory`, `CPU`, `database`, `demand`.
    pub(crate) name: &'static str,
    /// Workers.
    pub(crate) workers: u64,
    formula: &'static str,
    inputs: Vec<Input>,
}

/// The size that a pool should have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Size {
    /// Workers.
    pub(crate) workers: u64,
    /// Which limit decides.
    pub(crate) binds: &'static str,
    terms: Vec<Term>,
}

impl Size {
    /// The number with all that went into it.
    pub(crate) fn derived(&self, value: impl ToString) -> Derived {
        let names: Vec<_> = self.terms.iter().map(|term| term.name).collect();
        let formulas: Vec<_> =
            self.terms.iter().map(|term| format!("{} = {}", term.name, term.formula)).collect();
        let formula = format!("min({}); {}", names.join(", "), formulas.join("; "));
        let mut derived = Derived::new(value, &formula);
        for term in &self.terms {
            derived = derived.input(term.name, term.workers, "computed from what follows");
            derived.inputs.extend(term.inputs.iter().cloned());
        }
        derived.input("binds", self.binds, "the smallest of them")
    }

    /// `memory 312, CPU 40, demand 60`.
    pub(crate) fn line(&self) -> String {
        let each =
            self.terms.iter().map(|term| format!("{} {}", term.name, number_text(number(term.workers))));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// The size that a pool that is too small should have; `None` where neither memory nor CPUs are known.
pub(crate) fn size(view: &View<'_>) -> Option<Size> {
    let limits: Vec<_> = [by_memory(view), by_cpu(view), by_database(view)].into_iter().flatten().collect();
    if limits.iter().all(|term| term.name == "database") {
        return None;
    }
    let mut terms = limits;
    terms.extend(demand(view));
    let least = terms.iter().min_by_key(|term| term.workers)?;
    Some(Size { workers: least.workers, binds: least.name, terms: terms.clone() })
}

/// What memory holds: of the host, and of the control group where that has a limit.
pub(crate) fn by_memory(view: &View<'_>) -> Option<Term> {
    let each = view.pool.private_bytes?;
    let own = each.mean * number(u64::from(view.workers()));
    let (free, source) = free_memory(view, own)?;
    let others = others_may_take(view);
    let workers = floor((free - others) / each.p95.max(1.0));
    let mut inputs = vec![
        input("available", bytes(free - own), source),
        input("own", bytes(own), "smaps_rollup Private_* of its workers"),
        input("p95 private", bytes(each.p95), "smaps_rollup Private_* of a worker"),
    ];
    if others > 0.0 {
        inputs.push(input("others", bytes(others), "what other pools take at pm.max_children beyond today"));
    }
    let formula = "⌊(available + own − others) / p95 private⌋, available less 15 % of all";
    Some(Term { name: "memory", workers, formula, inputs })
}

/// What a pool may take in all, and where the limit was read: the host's memory, or that of its control group.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn free_memory(view: &View<'_>, own: f64) -> Option<(f64, &'static str)> {
    let memory = view.evidence.latest(|reading| &reading.memory).ok()?;
    let kept = |name: &str| memory.meminfo.get(name).map(|bytes| *bytes as f64);
    let total = kept("MemTotal")?;
    let host = (kept("MemAvailable")? - FREE_SHARE * total).max(0.0) + own;
    let group = group_limit(view).map(|(limit, used)| (limit - used - FREE_SHARE * limit).max(0.0) + own);
    Some(match group.filter(|group| *group < host) {
        Some(group) => (group, "memory.max − memory.current of its control group, less 15 %"),
        None => (host, "/proc/meminfo MemAvailable, less 15 % of MemTotal"),
    })
}

/// The memory limit of a master's control group, and what it holds that cannot be reclaimed, in bytes.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
pub(crate) fn group_limit(view: &View<'_>) -> Option<(f64, f64)> {
    let path = view.master.control_group.as_deref()?;
    let groups = &view.evidence.latest(|reading| &reading.cgroup).ok()?.groups;
    let group = groups.iter().find(|group| group.path == path)?;
    let used = group.memory_bytes?.saturating_sub(group.memory_reclaimable_bytes.unwrap_or_default());
    Some((group.memory_max_bytes? as f64, used as f64))
}

/// Memory that the other pools of the host take when they have all the workers they may have, beyond what they take now.
fn others_may_take(view: &View<'_>) -> f64 {
    let all = super::view::pools(view.evidence).unwrap_or_default();
    let others = all.iter().filter(|other| other.runs() && !std::ptr::eq(other.pool, view.pool));
    let grow = others.filter_map(|other| {
        let each = other.pool.private_bytes?.p95;
        Some(each * number(u64::from(other.most().saturating_sub(other.workers()))))
    });
    grow.sum()
}

/// What the CPUs keep busy: a worker that waits nine tenths of its time leaves room for nine others.
pub(crate) fn by_cpu(view: &View<'_>) -> Option<Term> {
    let span = view.evidence.span(|reading| &reading.cpu).ok()?;
    let (cpus, total) = (shares::count(span.last)?, shares::total(&span)?);
    let source = "/proc/stat";
    let used = total.busy() + total.steal;
    if used >= CPUS_FULL {
        let inputs = vec![input("CPUs", number_text(cpus), source), input("in use", percent(used), source)];
        let formula = "today's workers, since the CPUs are in use";
        return Some(Term { name: "CPU", workers: u64::from(view.most()), formula, inputs });
    }
    let (cpu_s, seconds) = view.cpu_s()?;
    let busy_s = view.busy()?.mean * seconds;
    if cpu_s <= 0.0 || busy_s <= cpu_s {
        return None;
    }
    let wait = (busy_s - cpu_s) / cpu_s;
    let inputs = vec![
        input("CPUs", number_text(cpus), source),
        input(
            "wait / cpu",
            number_text((wait * 10.0).round() / 10.0),
            "busy time and CPU time of its workers",
        ),
    ];
    let formula = "⌊CPUs × (1 + wait / cpu) × 1.2⌋";
    Some(Term { name: "CPU", workers: floor(cpus * (1.0 + wait) * CPU_SLACK), formula, inputs })
}

/// What the database takes, shared among the pools that use it.
pub(crate) fn by_database(view: &View<'_>) -> Option<Term> {
    let used = database::local(view.evidence)?;
    let pools = number(u64::try_from(used.pools).unwrap_or(1)).max(1.0);
    let inputs = vec![
        input("max_connections", used.limit.max_connections, "the database's option files"),
        input("pools", number_text(pools), "pools that use it"),
    ];
    let workers = floor(number(used.limit.max_connections) * DATABASE_SHARE / pools);
    Some(Term { name: "database", workers, formula: "⌊max_connections × 0.8 / pools⌋", inputs })
}

/// What is asked for: the workers and what waits for one. Where connections were turned away nobody knows how many more there
/// are, so that it is at least twice as many.
fn demand(view: &View<'_>) -> Option<Term> {
    let (depth, most) = (view.depth()?, number(u64::from(view.most())));
    let wanted = (most + f64::from(depth.most)) / COMFORTABLE;
    let full = crate::sockets::queues::was_full(depth);
    let workers = if full { wanted.max(2.0 * most) } else { wanted };
    let inputs = vec![
        input("workers", number_text(most), "pm.max_children"),
        input("deepest queue", depth.most, "Recv-Q of its socket"),
    ];
    let formula = match full {
        true => "⌈max((workers + deepest queue) / 0.8, 2 × workers)⌉, as connections were turned away",
        false => "⌈(workers + deepest queue) / 0.8⌉",
    };
    Some(Term { name: "demand", workers: floor(workers.ceil()), formula, inputs })
}

fn input(name: &str, value: impl ToString, source: &str) -> Input {
    Input { name: name.to_owned(), value: value.to_string(), source: source.to_owned() }
}

/// A number of bytes in MiB.
pub(crate) fn bytes(bytes: f64) -> String {
    format!("{} MiB", number_text((bytes / f64::from(1 << 20) * 10.0).round() / 10.0))
}

fn percent(share: f64) -> String {
    format!("{} %", number_text(shares::percent(share)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of workers, connections and bytes")]
fn number(count: u64) -> f64 {
    count as f64
}

/// A count of workers, at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn floor(workers: f64) -> u64 {
    if workers.is_finite() { workers.floor().clamp(1.0, 1e6) as u64 } else { 1 }
}

/// A size of PHP (`128M`, `1G`, `-1` for no limit) in bytes.
pub(crate) fn bytes_of(text: &str) -> Option<f64> {
    let text = text.trim().trim_matches('"');
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (text.get(..at)?, unit),
        _ => (text, ' '),
    };
    let factor = match unit.to_ascii_lowercase() {
        'k' => 1024.0,
        'm' => 1_048_576.0,
        'g' => 1_073_741_824.0,
        ' ' => 1.0,
        _ => return None,
    };
    let number: f64 = digits.trim().parse().ok()?;
    (number > 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_php_are_read_and_no_limit_is_none() {
        assert_eq!(
            ["128M", "1G", "64k", "1048576"].map(|text| bytes_of(text).unwrap() as u64),
            [134_217_728, 1_073_741_824, 65_536, 1_048_576]
        );
        assert_eq!(["-1", "", "x", "1T"].map(bytes_of), [None; 4]);
    }
}
