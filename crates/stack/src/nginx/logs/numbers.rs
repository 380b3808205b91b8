//! Numbers in access logs, and how they are spread.

use hdrhistogram::Histogram;

use crate::quantiles::Quantiles;

/// A whole number; `None` for `-`, for what is no number and for more than fits.
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    let add = |sum: u64, digit: &u8| {
        if digit.is_ascii_digit() { sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')) } else { None }
    };
    if text.is_empty() { None } else { text.iter().try_fold(0, add) }
}

/// Seconds with a fraction, in milliseconds.
fn milliseconds(text: &[u8]) -> Option<u64> {
    let Some(point) = text.iter().position(|byte| *byte == b'.') else {
        return whole(text)?.checked_mul(1000);
    };
    let (seconds, fraction) = text.split_at(point);
    let fraction = fraction.get(1..)?;
    let digits = fraction.get(..fraction.len().min(3))?;
    let scale = 10_u64.pow(3 - u32::try_from(digits.len()).ok()?);
    whole(seconds)?.checked_mul(1000)?.checked_add(whole(digits)? * scale)
}

/// The sum over all servers that were asked for a request: `0.010, 0.200 : 0.300`. A server that gave none has `-`.
/// `None` when none gave one.
fn sum_of(text: &[u8], one: fn(&[u8]) -> Option<u64>) -> Option<u64> {
    let is_between = |byte: &u8| matches!(byte, b',' | b' ' | b':');
    let alone = !text.iter().any(is_between);
    if alone {
        return one(text);
    }
    let numbers = text.split(is_between).filter_map(one);
    numbers.fold(None, |sum: Option<u64>, number| Some(sum.unwrap_or(0).saturating_add(number)))
}

/// Milliseconds over all servers that were asked.
pub(super) fn milliseconds_of_all(text: &[u8]) -> Option<u64> {
    sum_of(text, milliseconds)
}

/// Bytes over all servers that were asked.
pub(super) fn bytes_of_all(text: &[u8]) -> Option<u64> {
    sum_of(text, whole)
}

/// How numbers are spread, in a memory that does not grow with their count: three significant digits.
#[derive(Debug, Default)]
pub(super) struct Spread {
    counts: Option<Histogram<u64>>,
    sum: f64,
    largest: u64,
}

/// Larger numbers count as this: ten days in milliseconds, a terabyte.
const LARGEST: u64 = 1 << 40;

impl Spread {
    #[expect(clippy::cast_precision_loss, reason = "at most 2^40")]
    pub(super) fn add(&mut self, number: u64) {
        let number = number.min(LARGEST);
        if self.counts.is_none() {
            self.counts = Histogram::new(3).ok();
        }
        // It grows by itself, so that it refuses nothing.
        if self.counts.as_mut().is_some_and(|counts| counts.record(number).is_ok()) {
            self.largest = self.largest.max(number);
        }
        self.sum += number as f64;
    }

    /// The quantiles, each number divided by `unit`.
    #[expect(clippy::cast_precision_loss, reason = "three digits are known")]
    pub(super) fn quantiles(&self, unit: f64) -> Option<Quantiles> {
        let counts = self.counts.as_ref().filter(|counts| !counts.is_empty())?;
        let at = |share| counts.value_at_quantile(share).min(self.largest) as f64 / unit;
        Some(Quantiles {
            count: counts.len(),
            mean: self.sum / counts.len() as f64 / unit,
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max: self.largest as f64 / unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_several_servers_are_added_up() {
        let ms = |text: &str| milliseconds_of_all(text.as_bytes());
        assert_eq!(ms("0.150"), Some(150));
        assert_eq!(ms("0.1, 0.2 : 0.3"), Some(600));
        assert_eq!(ms("-, 0.25"), Some(250));
        assert_eq!(["-", "", "- : -", "x", "0.x"].map(ms), [None; 5]);
        assert_eq!((ms("3"), ms("18446744073709551615.9"), ms("0.1234")), (Some(3000), None, Some(123)));
        assert_eq!(bytes_of_all(b"1024, -, 6"), Some(1030));
    }

    #[test]
    fn a_spread_keeps_three_digits_and_the_largest_exactly() {
        let mut spread = Spread::default();
        assert_eq!(spread.quantiles(1.0), None);
        (1..=100).for_each(|number| spread.add(number * 1000));
        spread.add(3_456_789);
        let quantiles = spread.quantiles(1000.0).unwrap();
        assert!((quantiles.p50 - 51.0).abs() < 0.06, "{quantiles:?}");
        assert!((quantiles.p95 - 96.0).abs() < 0.1, "{quantiles:?}");
        assert_eq!((quantiles.count, quantiles.max), (101, 3456.789));
        spread.add(u64::MAX);
        assert!(spread.quantiles(1.0).unwrap().max <= 1.2e12);
    }
}
