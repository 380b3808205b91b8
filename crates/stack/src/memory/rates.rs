//! What memory management did over the window.

use model::Missing;
use model::counter::per_second;

use super::Facts;
use crate::Span;

/// The growth per second of a counter of `/proc/vmstat`; `None` when the kernel has none of that name, or it was reset.
pub fn rate(span: &Span<Facts>, name: &str) -> Option<f64> {
    per_second(*span.first.vmstat.get(name)?, *span.last.vmstat.get(name)?, span.seconds)
}

/// The growth per second of all counters of `/proc/vmstat` whose name begins so (`allocstall` has one per zone).
pub fn rate_of_all(span: &Span<Facts>, prefix: &str) -> Option<f64> {
    let names: Vec<_> = span.last.vmstat.keys().filter(|name| name.starts_with(prefix)).collect();
    if names.is_empty() { None } else { names.iter().map(|name| rate(span, name)).sum() }
}

/// Pages swapped in and out per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swapping {
    /// Pages read back (`pswpin`).
    pub in_per_s: f64,
    /// Pages written out (`pswpout`).
    pub out_per_s: f64,
}

/// The pages swapped per second; `None` when the kernel does not count them.
pub fn swapping(span: &Span<Facts>) -> Option<Swapping> {
    Some(Swapping { in_per_s: rate(span, "pswpin")?, out_per_s: rate(span, "pswpout")? })
}

/// The share of memory that can be had without swapping (`MemAvailable`), 0 to 1; `None` before Linux 3.14.
pub fn available(facts: &Facts) -> Option<f64> {
    share(facts, "MemAvailable")
}

/// A line of `/proc/meminfo` as a share of `MemTotal`.
#[expect(clippy::cast_precision_loss, reason = "a share of memory")]
pub fn share(facts: &Facts, name: &str) -> Option<f64> {
    let total = facts.meminfo.get("MemTotal").copied().filter(|total| *total > 0)?;
    Some(*facts.meminfo.get(name)? as f64 / total as f64)
}

/// From this share of memory in reclaimable slabs on, they may crowd out something.
pub const LARGE: f64 = 0.25;
/// Below this share of free memory, whatever is wanted has to be reclaimed first.
const FULL: f64 = 0.05;

/// Whether all memory is taken, so that what is cached for one use is not there for another. `MemAvailable` cannot tell:
/// it counts reclaimable slabs as available (mm/page_alloc.c, `si_mem_available`).
pub fn is_full(facts: &Facts) -> Option<bool> {
    share(facts, "MemFree").map(|free| free < FULL)
}

/// The evidence that is missing without a counter of `/proc/vmstat`.
pub fn no_counter(name: &str) -> Missing {
    Missing::new(
        format!("/proc/vmstat {name}"),
        "read a host whose kernel counts it; a counter that was reset needs a new window",
    )
}

/// A number of bytes as a person reads it.
#[expect(clippy::cast_precision_loss, reason = "a number that is shown with three digits")]
pub fn bytes_text(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size).unwrap_or((1, "bytes"));
    format!("{} {}", model::observation::number_text(bytes as f64 / unit.0 as f64), unit.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(first: &[(&str, u64)], last: &[(&str, u64)]) -> (Facts, Facts) {
        let facts = |entries: &[(&str, u64)]| Facts {
            vmstat: entries.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            ..Facts::default()
        };
        (facts(first), facts(last))
    }

    #[test]
    fn zones_are_added_up_and_absent_counters_are_none() {
        let (first, last) = span_of(
            &[("allocstall_dma", 1), ("allocstall_normal", 10)],
            &[("allocstall_dma", 2), ("allocstall_normal", 29)],
        );
        let span = Span { first: &first, last: &last, seconds: 10.0 };
        assert_eq!(rate_of_all(&span, "allocstall"), Some(2.0));
        assert_eq!(rate_of_all(&span, "pgscan"), None);
        assert_eq!(swapping(&span), None);
    }

    #[test]
    fn bytes_read_in_the_largest_unit_that_fits() {
        assert_eq!(bytes_text(7_374_758_400), "6.87 GiB");
        assert_eq!(bytes_text(512), "512 bytes");
    }
}
