//! What is known of one number over many events: count, sum, extremes, and quantiles.

use crate::attribute::Unit;
use crate::histogram::{Histogram, value_of};

/// A number over many events. Counts and sums are exact and merge exactly in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    unit: Unit,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    histogram: Histogram,
}

/// What pt-query-digest derives from its buckets, by the same steps, in shown units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// 95 % of all values are at most in this bucket.
    pub percentile_95: f64,
    /// The standard deviation of the buckets' values, at most half the range.
    pub standard_deviation: f64,
    /// The bucket in the middle.
    pub median: f64,
}

impl Metric {
    /// One that has met nothing.
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Self { unit, count: 0, sum: 0, min: u64::MAX, max: 0, histogram: Histogram::default() }
    }

    pub(crate) fn from_parts(
        unit: Unit,
        (count, sum): (u64, u128),
        (min, max): (u64, u64),
        histogram: Histogram,
    ) -> Self {
        Self { unit, count, sum, min, max, histogram }
    }

    /// One of which nothing but count and sum is known: extremes and quantiles are unknown, and stay so when others are added.
    #[must_use]
    pub fn of_sum(unit: Unit, count: u64, sum: u128) -> Self {
        Self { count, sum, min: 0, ..Self::new(unit) }
    }

    /// Whether extremes, quantiles and the histogram are known of all values.
    #[must_use]
    pub fn has_spread(&self) -> bool {
        self.histogram.count() == self.count
    }

    /// Takes a value: whole microseconds, or whatever is counted.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.histogram.add(value, self.unit);
    }

    /// Takes all that another took.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.histogram.merge(&other.histogram);
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How many values there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The exact sum, in whole microseconds or whatever is counted.
    #[must_use]
    pub fn exact_sum(&self) -> u128 {
        self.sum
    }

    /// The exact least value, in whole microseconds or whatever is counted; 0 where there was none. Not known without
    /// [`Metric::has_spread`].
    #[must_use]
    pub fn exact_min(&self) -> u64 {
        if self.count == 0 { 0 } else { self.min }
    }

    /// The exact largest value, in whole microseconds or whatever is counted. Not known without [`Metric::has_spread`].
    #[must_use]
    pub fn exact_max(&self) -> u64 {
        self.max
    }

    /// The sum, in seconds or whatever is counted.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum as f64 / self.unit.scale()
    }

    /// The least value, in seconds or whatever is counted.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.exact_min() as f64 / self.unit.scale()
    }

    /// The largest value, in seconds or whatever is counted.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.max as f64 / self.unit.scale()
    }

    /// The mean, in seconds or whatever is counted.
    #[must_use]
    pub fn average(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum() / self.count as f64 }
    }

    /// The histogram.
    #[must_use]
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The bucket value below or at which the given share of all values lies: at most 5 % below the true one.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, count) in self.histogram.buckets() {
            seen += count;
            if seen >= rank {
                return value_of(bucket).clamp(self.min(), self.max());
            }
        }
        0.0
    }

    /// 95 %, median and deviation, by the steps of pt-query-digest (`EventAggregator::_calc_metrics`).
    #[must_use]
    pub fn spread(&self) -> Spread {
        if self.count == 0 || !self.has_spread() {
            return Spread::default();
        }
        let (min, max) = (self.min(), self.max());
        if self.count == 1 || self.max == self.min {
            return Spread { percentile_95: max, standard_deviation: 0.0, median: max };
        }
        if self.count == 2 {
            let median = f64::midpoint(min, max);
            let standard_deviation = ((max - median).powi(2) * 2.0).sqrt();
            return Spread { percentile_95: max, standard_deviation, median };
        }
        self.spread_of_buckets(min, max)
    }

    fn spread_of_buckets(&self, min: f64, max: f64) -> Spread {
        let n = self.count;
        let cutoff = if n >= 10 { (n as f64 * 0.95) as u64 } else { n };
        let top = n - cutoff;
        let (mut left, mut excluded) = (n, 0);
        let (mut percentile_bucket, mut median) = (0, 0.0);
        let mut previous = crate::histogram::BUCKETS - 1;
        let (mut sum, mut squares) = (0.0, 0.0);
        for (bucket, count) in self.histogram.buckets().rev() {
            let value = value_of(bucket);
            left -= count;
            excluded += count;
            if percentile_bucket == 0 && excluded > top {
                percentile_bucket = bucket;
            }
            if median == 0.0 && left <= n / 2 {
                let alone = cutoff % 2 == 0 && count == 1;
                median = if alone { f64::midpoint(value, value_of(previous)) } else { value };
            }
            sum += count as f64 * value;
            squares += count as f64 * value.powi(2);
            previous = bucket;
        }
        let variance = squares / n as f64 - (sum / n as f64).powi(2);
        let deviation = if variance > 0.0 { variance.sqrt() } else { 0.0 };
        Spread {
            percentile_95: value_of(percentile_bucket),
            standard_deviation: deviation.min((max - min) / 2.0),
            median,
        }
    }
}

/// How often a flag was set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flag {
    /// Events in which it was `Yes`.
    pub yes: u64,
    /// Events in which it was not.
    pub no: u64,
}

impl Flag {
    pub(crate) fn add(&mut self, set: bool) {
        if set { self.yes += 1 } else { self.no += 1 }
    }

    /// Takes all that another took.
    pub fn merge(&mut self, other: Self) {
        self.yes = self.yes.saturating_add(other.yes);
        self.no = self.no.saturating_add(other.no);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_told_exactly() {
        let mut metric = Metric::new(Unit::Microseconds);
        metric.add(1_500_000);
        assert_eq!(metric.spread(), Spread { percentile_95: 1.5, standard_deviation: 0.0, median: 1.5 });
        metric.add(500_000);
        let spread = metric.spread();
        assert_eq!((spread.percentile_95, spread.median), (1.5, 1.0));
        assert!((spread.standard_deviation - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!((metric.sum(), metric.average()), (2.0, 1.0));
    }

    #[test]
    fn a_sum_alone_has_no_spread_and_takes_it_from_what_it_is_added_to() {
        let mut metric = Metric::new(Unit::Count);
        metric.add(5);
        assert!(metric.has_spread());
        metric.merge(&Metric::of_sum(Unit::Count, 3, 30));
        assert_eq!((metric.count(), metric.exact_sum(), metric.has_spread()), (4, 35, false));
        assert_eq!(metric.spread(), Spread::default());
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let mut metric = Metric::new(Unit::Count);
        (1..=1000).for_each(|value| metric.add(value));
        let median = metric.quantile(0.5);
        assert!(median <= 500.0 && median > 500.0 / 1.0501, "{median}");
    }
}
