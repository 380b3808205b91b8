//! What groups used of their limits over the window.

use model::counter::{growth, per_second};

use super::{Competitor, Facts, Group};
use crate::Span;

/// A group with a CPU quota over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota<'a> {
    /// Its path.
    pub path: &'a str,
    /// The CPUs it may use: quota over period.
    pub cpus: f64,
    /// The CPUs it used; `None` when its usage is not counted.
    pub used_cpus: Option<f64>,
    /// Periods that began within the window.
    pub periods: u64,
    /// Of them, those in which the quota ran out.
    pub throttled: u64,
    /// Time throttled per second of the window, summed over CPUs.
    pub throttled_s_per_s: Option<f64>,
    /// Whether it listens for connections, as far as either reading could tell.
    pub listens: Option<bool>,
}

/// Fewer periods than this are too few to speak of a share of them.
const LEAST_PERIODS: u64 = 10;

/// Fewer throttled periods than this are a burst, such as a start or a probe.
const LEAST_THROTTLED: u64 = 3;
/// From this share of periods in which the quota ran out on, it holds work back.
const THROTTLED: f64 = 0.05;

impl Quota<'_> {
    /// Whether the quota holds work back: it ran out often, and not in a single burst.
    pub fn is_throttled(&self) -> bool {
        self.throttled >= LEAST_THROTTLED && self.throttled_share().is_some_and(|share| share >= THROTTLED)
    }

    /// The share of periods in which the quota ran out, 0 to 1; `None` when too few began.
    #[expect(clippy::cast_precision_loss, reason = "periods of a window")]
    pub fn throttled_share(&self) -> Option<f64> {
        (self.periods >= LEAST_PERIODS).then(|| self.throttled as f64 / self.periods as f64)
    }
}

/// Every group with a quota at the end of the window whose counters did not go backwards: those that are throttled, then
/// the others, each by its share of throttled periods.
pub fn quotas<'a>(span: &Span<'a, Facts>) -> Vec<Quota<'a>> {
    let mut quotas: Vec<_> =
        pairs(span).filter_map(|(first, last)| quota(first, last, span.seconds)).collect();
    let share = |quota: &Quota| quota.throttled_share().unwrap_or(0.0);
    quotas.sort_by(|a, b| b.is_throttled().cmp(&a.is_throttled()).then(share(b).total_cmp(&share(a))));
    quotas
}

/// Every group at the end of the window, with itself at its start.
pub fn pairs<'a>(span: &Span<'a, Facts>) -> impl Iterator<Item = (&'a Group, &'a Group)> {
    let (first, last) = (span.first, span.last);
    last.groups.iter().filter_map(|last| {
        let first = first.groups.iter().find(|first| first.path == last.path)?;
        Some((first, last))
    })
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a period")]
fn quota<'a>(first: &Group, last: &'a Group, seconds: f64) -> Option<Quota<'a>> {
    let (quota, period) = (last.quota_us?, last.period_us.filter(|period| *period > 0)?);
    let per_s = |first: Option<u64>, last: Option<u64>| Some(per_second(first?, last?, seconds)? / 1e6);
    Some(Quota {
        path: &last.path,
        cpus: quota as f64 / period as f64,
        used_cpus: per_s(first.usage_us, last.usage_us),
        periods: growth(first.periods?, last.periods?)?,
        throttled: growth(first.throttled_periods?, last.throttled_periods?)?,
        throttled_s_per_s: per_s(first.throttled_us, last.throttled_us),
        listens: first.listens.max(last.listens),
    })
}

/// What one competitor for the CPUs did over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Use<'a> {
    /// The group at the last reading.
    pub group: &'a Competitor,
    /// CPUs that it used.
    pub cpus: f64,
    /// The share of the window in which at least one of its tasks waited for a CPU, 0 to 1.
    pub waited: Option<f64>,
    /// Whether it listens for connections, as far as either reading could tell.
    pub listens: Option<bool>,
}

/// Every competitor for the CPUs, those that used most first; one that came within the window from its beginning.
pub fn uses<'a>(span: &Span<'a, Facts>) -> Vec<Use<'a>> {
    let used = span.last.competitors.iter().filter_map(|last| {
        let first = span.first.competitors.iter().find(|first| first.path == last.path);
        if first.is_none() && span.first.left_out > 0 {
            return None;
        }
        let usage_us = first.map_or(0, |first| first.usage_us);
        let waited = first.map_or(Some(0), |first| first.waited_us).zip(last.waited_us);
        let waited = waited.and_then(|(first, last)| per_second(first, last, span.seconds));
        Some(Use {
            group: last,
            cpus: per_second(usage_us, last.usage_us, span.seconds)? / 1e6,
            waited: waited.map(|us| (us / 1e6).min(1.0)),
            listens: first.and_then(|first| first.listens).max(last.listens),
        })
    });
    let mut used: Vec<_> = used.collect();
    used.sort_by(|a, b| b.cpus.total_cmp(&a.cpus));
    used
}

/// The share of its hard limit that a group holds and cannot give back, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a share of memory")]
pub fn held_share(group: &Group) -> Option<f64> {
    let limit = group.memory_max_bytes.filter(|bytes| *bytes > 0)?;
    let held = group.memory_bytes?.saturating_sub(group.memory_reclaimable_bytes?);
    Some(held as f64 / limit as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_counts_periods_of_the_window_only() {
        let group = |periods, throttled| Group {
            path: "/a".into(),
            quota_us: Some(50_000),
            period_us: Some(100_000),
            periods: Some(periods),
            throttled_periods: Some(throttled),
            ..Group::default()
        };
        let facts = |group| Facts { groups: vec![group], ..Facts::default() };
        let (first, last) = (facts(group(1_000, 900)), facts(group(1_100, 925)));
        let span = Span { first: &first, last: &last, seconds: 10.0 };
        let quotas = quotas(&span);
        assert_eq!((quotas[0].cpus, quotas[0].throttled_share()), (0.5, Some(0.25)));
        assert_eq!(quotas[0].used_cpus, None);
    }

    #[test]
    fn file_pages_are_not_held() {
        let group = Group {
            memory_max_bytes: Some(100),
            memory_bytes: Some(99),
            memory_reclaimable_bytes: Some(59),
            ..Group::default()
        };
        assert_eq!(held_share(&group), Some(0.4));
    }
}
