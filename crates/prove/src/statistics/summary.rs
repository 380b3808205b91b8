//! Figures of a sample.

/// Makes the median absolute deviation of normal noise its standard deviation: 1 / Φ⁻¹(3/4).
const NORMAL: f64 = 1.482_602_218_505_602;

/// The quantile `q` (0 to 1) by linear interpolation between order statistics (Hyndman & Fan 1996, type 7: the default
/// of R and NumPy); `None` for an empty sample.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a sample that fits into memory"
)]
pub fn quantile(sample: &[f64], q: f64) -> Option<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let low = position.floor();
    let (below, above) = (sorted.get(low as usize)?, sorted.get(position.ceil() as usize)?);
    Some(below + (position - low) * (above - below))
}

/// The median; `None` for an empty sample.
pub fn median(sample: &[f64]) -> Option<f64> {
    quantile(sample, 0.5)
}

/// Where the true median lies, and with which probability: between two order statistics, whatever the distribution. It is
/// the narrowest such pair with at least 95 %; with fewer than six values no pair has that, and it is the whole range.
/// `None` for fewer than two values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the length of a sample, and places in it"
)]
pub fn median_interval(sample: &[f64]) -> Option<(f64, f64, f64)> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n < 2 {
        return None;
    }
    if n > 500 {
        let outside = (n as f64 / 2.0 - 0.98 * (n as f64).sqrt()).floor() as usize - 1;
        return Some((*sorted.get(outside)?, *sorted.get(n - 1 - outside)?, 0.95));
    }
    // The number of values below the median is binomial; each tail ends before the pair does.
    let (mut tail, mut term, mut cut) = (0.0, (-(n as f64) * std::f64::consts::LN_2).exp(), 0);
    loop {
        if tail + term > 0.025 || cut >= n / 2 {
            break;
        }
        tail += term;
        term *= (n - cut) as f64 / (cut + 1) as f64;
        cut += 1;
    }
    let outside = cut.saturating_sub(1);
    let confidence = if cut == 0 { 1.0 - 2.0 * term } else { 1.0 - 2.0 * tail };
    Some((*sorted.get(outside)?, *sorted.get(n - 1 - outside)?, confidence))
}

/// The arithmetic mean; `None` for an empty sample.
#[expect(clippy::cast_precision_loss, reason = "the length of a sample")]
pub fn mean(sample: &[f64]) -> Option<f64> {
    (!sample.is_empty()).then(|| sample.iter().sum::<f64>() / sample.len() as f64)
}

/// The median distance from the median, scaled so that for normal noise it is the standard deviation.
pub fn median_absolute_deviation(sample: &[f64]) -> Option<f64> {
    let middle = median(sample)?;
    let distances: Vec<_> = sample.iter().map(|value| (value - middle).abs()).collect();
    median(&distances).map(|distance| NORMAL * distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_r() {
        // quantile(c(15, 20, 35, 40, 50), c(0, .05, .3, .4, .5, 1)), by hand: position q·4.
        let sample = [40.0, 15.0, 50.0, 20.0, 35.0];
        for (q, expected) in [(0.0, 15.0), (0.05, 16.0), (0.3, 23.0), (0.4, 29.0), (0.5, 35.0), (1.0, 50.0)] {
            let found = quantile(&sample, q).unwrap();
            assert!((found - expected).abs() < 1e-12, "{q}: {found}");
        }
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
    }

    #[test]
    fn the_median_lies_between_order_statistics() {
        // Conover, Practical Nonparametric Statistics: n = 10 takes the 2nd and the 9th (97.9 %), n = 6 the range (96.9 %).
        let of = |n: u32| median_interval(&(1..=n).map(f64::from).collect::<Vec<_>>()).unwrap();
        let close = |found: (f64, f64, f64), low, high, share: f64| {
            assert!((found.0, found.1) == (low, high) && (found.2 - share).abs() < 1e-3, "{found:?}");
        };
        close(of(10), 2.0, 9.0, 0.9785);
        close(of(6), 1.0, 6.0, 0.9688);
        close(of(3), 1.0, 3.0, 0.75);
        close(of(100), 40.0, 61.0, 0.9648);
        assert_eq!(median_interval(&[1.0]), None);
        close(of(2000), 956.0, 1045.0, 0.95);
    }

    #[test]
    fn one_spike_moves_the_mean_and_not_the_deviation() {
        // mad(c(1, 1, 2, 2, 4, 6, 9)) of R is 1.4826.
        let deviation = median_absolute_deviation(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]).unwrap();
        assert!((deviation - NORMAL).abs() < 1e-12, "{deviation}");
        assert_eq!(median_absolute_deviation(&[1.0, 1.0, 1.0, 900.0]), Some(0.0));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean(&[]), None);
    }

    proptest! {
        #[test]
        fn a_quantile_lies_within_the_sample_and_grows(
            sample in prop::collection::vec(-1e9..1e9_f64, 1..50), p in 0.0..=1.0_f64, q in 0.0..=1.0_f64
        ) {
            let (low, high) = (quantile(&sample, p.min(q)).unwrap(), quantile(&sample, p.max(q)).unwrap());
            prop_assert!(low <= high + 1e-6);
            prop_assert!(quantile(&sample, 0.0).unwrap() <= low && high <= quantile(&sample, 1.0).unwrap());
        }
    }
}
