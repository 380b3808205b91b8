//! What perf(1) writes.

use std::collections::BTreeMap;

use super::{Count, Counts, names_a_path};
use crate::tasks::syscalls::Architecture;

/// Calls that have begun and not ended; more are of a torn file.
const MOST_BEGUN: usize = 10_000;

/// `perf trace -s`: `newfstatat  694  11  12.270  0.015  0.018  0.098  1.08%`, times in milliseconds.
pub(super) fn summary(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        // Before Linux 5.17 there was no column of errors.
        let (name, calls, errors, total) = match words[..] {
            [name, calls, errors, total, _, _, _, percent] if percent.ends_with('%') => {
                (name, calls, errors, total)
            }
            [name, calls, total, _, _, _, percent] if percent.ends_with('%') => (name, calls, "0", total),
            _ => continue,
        };
        let (Ok(calls), Ok(errors), Ok(total_ms)) =
            (calls.parse::<u64>(), errors.parse::<u64>(), total.parse::<f64>())
        else {
            continue;
        };
        if total_ms.is_finite() {
            let seen = counts
                .calls
                .entry(name.to_owned())
                .or_insert(Count { seconds: Some(0.0), ..Count::default() });
            seen.calls += calls;
            seen.errors += errors;
            seen.seconds = seen.seconds.map(|sum| sum + total_ms / 1e3);
        }
    }
    counts
}

/// `perf script` of the tracepoints `raw_syscalls:sys_enter` and `raw_syscalls:sys_exit`, of a host of x86-64. Paths are
/// addresses there.
pub(super) fn script(text: &str) -> Counts {
    let mut counts = Counts::default();
    let mut begun: BTreeMap<&str, (u64, f64, bool)> = BTreeMap::new();
    let mut span: Option<(f64, f64)> = None;
    for line in text.lines() {
        let Some(event) = event(line) else { continue };
        span = Some(span.map_or((event.at, event.at), |(first, _)| (first, event.at)));
        match event.result {
            None if begun.len() < MOST_BEGUN => {
                begun.insert(event.pid, (event.number, event.at, event.of_descriptor));
            }
            None => {}
            Some(result) => {
                let start = begun.remove(event.pid).filter(|(number, _, _)| *number == event.number);
                let name = Architecture::X86.name_of(event.number);
                let took = start.map(|(_, at, _)| (event.at - at).max(0.0));
                counts.add(&name, result < 0, took);
                let of_descriptor = start.is_some_and(|(_, _, of_descriptor)| of_descriptor);
                if names_a_path(&name) && !of_descriptor {
                    counts.add_path(result == -2);
                }
            }
        }
    }
    counts.seconds = span.map(|(first, last)| last - first).filter(|seconds| *seconds > 0.0);
    counts
}

struct Event<'a> {
    pid: &'a str,
    at: f64,
    number: u64,
    /// How a call ended; `None` where it begins.
    result: Option<i64>,
    /// Whether a stat is of a descriptor (`AT_EMPTY_PATH`).
    of_descriptor: bool,
}

/// `php 9384 [000] 37630.531177: raw_syscalls:sys_enter: NR 11 (7f29, 290, …)`.
fn event(line: &str) -> Option<Event<'_>> {
    let (head, rest) = line.split_once(" raw_syscalls:sys_")?;
    let mut words = head.split_whitespace().rev();
    let at = words.next()?.trim_end_matches(':').parse::<f64>().ok().filter(|at| at.is_finite())?;
    let pid = words.find(|word| !word.starts_with('['))?;
    let (_, rest) = rest.split_once("NR ")?;
    let (number, rest) = rest.split_once(' ')?;
    let result = match rest.trim().strip_prefix('=') {
        Some(result) => Some(result.trim().parse().ok()?),
        None => None,
    };
    let fourth = rest.trim_start_matches('(').split(", ").nth(3);
    let flags = fourth.and_then(|flags| u64::from_str_radix(flags.trim_end_matches(')'), 16).ok());
    let number = number.parse().ok()?;
    let of_descriptor = number == 262 && flags.is_some_and(|flags| flags & 0x1000 != 0);
    Some(Event { pid, at, number, result, of_descriptor })
}
