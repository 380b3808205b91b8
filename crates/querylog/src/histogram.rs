//! How often values of which size were met: a histogram that merges exactly.
//!
//! Buckets grow by 5 % from 10⁻⁶ on, and there are 1,000 of them: those of pt-query-digest (`EventAggregator`), so that
//! quantiles are equal to its own. A quantile is the lower edge of its bucket: at most 5 % below the value, or within 2.5 %
//! of the bucket's middle. A histogram keeps only the range of buckets that it has met.

use std::sync::LazyLock;

use crate::attribute::Unit;

/// How many buckets there are.
pub const BUCKETS: usize = 1000;
/// How much larger a bucket is than the one before.
const GROWTH: f64 = 1.05;
/// The least value that is not in bucket 0.
const LEAST: f64 = 0.000_001;
/// Steps into which each power of two is cut to look a bucket up: finer than buckets, so that a step has at most one edge.
const STEPS: u32 = 5;

/// The bucket of a value in shown units (seconds, rows), by pt-query-digest's own formula.
#[must_use]
pub fn bucket_of(value: f64) -> usize {
    if value < LEAST || value.is_nan() {
        return 0;
    }
    let base = GROWTH.ln();
    let offset = (1.0 - LEAST.ln() / base).abs();
    // A value of at least 10⁻⁶ has a bucket of at least 0 but for rounding; the cast cuts, as Perl's `int` does.
    ((offset + value.ln() / base) as usize).min(BUCKETS - 1)
}

/// The value that stands for a bucket, in shown units.
#[must_use]
pub fn value_of(bucket: usize) -> f64 {
    if bucket == 0 { 0.0 } else { VALUES.get(bucket).copied().unwrap_or(f64::INFINITY) }
}

static VALUES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    (0..BUCKETS)
        .map(|bucket| if bucket == 0 { 0.0 } else { GROWTH.powf(bucket as f64 - 1.0) * LEAST })
        .collect()
});

/// Looks up buckets of whole numbers without a logarithm; exactly what [`bucket_of`] says.
#[derive(Debug)]
struct Lookup {
    /// By power of two and step: the bucket of the step's least number.
    steps: Vec<u16>,
    /// By bucket: the least whole number in it or a later one.
    edges: Vec<u64>,
}

static MICROSECONDS: LazyLock<Lookup> = LazyLock::new(|| Lookup::new(Unit::Microseconds));
static COUNTS: LazyLock<Lookup> = LazyLock::new(|| Lookup::new(Unit::Count));

impl Lookup {
    fn new(unit: Unit) -> Self {
        let exact = |value: u64| bucket_of(value as f64 / unit.scale());
        let steps = (0..64_u32 << STEPS).map(|place| exact(Self::least(place)) as u16).collect();
        let edges = (0..BUCKETS).map(|bucket| least_in(bucket, &exact)).collect();
        Self { steps, edges }
    }

    /// The least number of a step.
    fn least(place: u32) -> u64 {
        let (power, step) = (place >> STEPS, u64::from(place & ((1 << STEPS) - 1)));
        if power < STEPS {
            (1 << power) + (step >> (STEPS - power))
        } else {
            (1 << power) + (step << (power - STEPS))
        }
    }

    fn bucket(&self, value: u64) -> usize {
        if value == 0 {
            return 0;
        }
        let power = 63 - value.leading_zeros();
        let rest = value ^ (1 << power);
        let step = if power < STEPS { rest << (STEPS - power) } else { rest >> (power - STEPS) };
        let bucket = self
            .steps
            .get(((power << STEPS) as usize) | step as usize)
            .map_or(0, |bucket| usize::from(*bucket));
        bucket + usize::from(self.edges.get(bucket + 1).is_some_and(|edge| value >= *edge))
    }
}

/// The least number whose bucket is at least this one; the largest number where there is none.
fn least_in(bucket: usize, exact: &dyn Fn(u64) -> usize) -> u64 {
    let (mut low, mut high) = (0_u64, u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if exact(middle) >= bucket { high = middle } else { low = middle + 1 }
    }
    if exact(low) >= bucket { low } else { u64::MAX }
}

/// Counts by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Values in bucket 0.
    zeros: u64,
    /// The bucket of the first count.
    first: u16,
    counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u64, unit: Unit) {
        let bucket = match unit {
            Unit::Microseconds => MICROSECONDS.bucket(value),
            Unit::Count => COUNTS.bucket(value),
        };
        let place = bucket.wrapping_sub(usize::from(self.first));
        match self.counts.get_mut(place) {
            Some(count) => *count += 1,
            None => self.add_to(bucket, 1),
        }
    }

    /// Adds to a bucket, which makes room for it.
    pub(crate) fn add_to(&mut self, bucket: usize, times: u64) {
        if bucket == 0 {
            self.zeros = self.zeros.saturating_add(times);
            return;
        }
        let bucket = bucket.min(BUCKETS - 1);
        let first = usize::from(self.first);
        if self.counts.is_empty() {
            self.first = bucket as u16;
            self.counts.push(times);
            return;
        }
        if bucket < first {
            self.counts.splice(0..0, std::iter::repeat_n(0, first - bucket));
            self.first = bucket as u16;
        } else if bucket - first >= self.counts.len() {
            self.counts.resize(bucket - first + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(bucket - usize::from(self.first)) {
            *count = count.saturating_add(times);
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, times) in other.buckets() {
            self.add_to(bucket, times);
        }
    }

    /// How many values it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Buckets that hold something, from the least up, with how many values they hold.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> + '_ {
        let rest = self.counts.iter().enumerate();
        let rest = rest.map(|(place, count)| (usize::from(self.first) + place, *count));
        std::iter::once((0, self.zeros)).chain(rest).filter(|(_, count)| *count > 0)
    }

    /// Counts by powers of ten: below 10 µs, 100 µs, 1 ms, 10 ms, 100 ms, 1 s, 10 s, and above, for values in seconds.
    #[must_use]
    pub fn decades(&self) -> [u64; 8] {
        let mut decades = [0; 8];
        let edges: [usize; 7] = std::array::from_fn(|power| bucket_of(10_f64.powi(power as i32 + 1) * LEAST));
        for (bucket, count) in self.buckets() {
            let decade = edges.iter().take_while(|edge| bucket >= **edge).count();
            if let Some(decade) = decades.get_mut(decade) {
                *decade += count;
            }
        }
        decades
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lookup_says_what_the_formula_says() {
        let mut value = 1_u64;
        let mut numbers: Vec<u64> = (0..5000).collect();
        while value < u64::MAX / 3 {
            numbers.extend([value - 1, value, value + 1, value + value / 3]);
            value = value + value / 41 + 1;
        }
        for lookup in [(&MICROSECONDS, Unit::Microseconds), (&COUNTS, Unit::Count)] {
            for edge in &lookup.0.edges {
                numbers.extend([edge.saturating_sub(1), *edge]);
            }
            for number in &numbers {
                let exact = bucket_of(*number as f64 / lookup.1.scale());
                assert_eq!(lookup.0.bucket(*number), exact, "{number} {:?}", lookup.1);
            }
        }
    }

    #[test]
    fn adding_in_any_order_and_merging_give_the_same() {
        let numbers = [0, 5, 1_000_000, 3, 7, 0, 12, 99, 5];
        let mut all = Histogram::default();
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        for (place, number) in numbers.iter().enumerate() {
            all.add(*number, Unit::Count);
            if place % 2 == 0 { &mut left } else { &mut right }.add(*number, Unit::Count);
        }
        right.merge(&left);
        assert!(right.buckets().eq(all.buckets()));
    }
}
