//! An interval for the mean of few paired differences.

use serde::{Deserialize, Serialize};

use super::student::{normal_above, t_97_5};
use super::{Random, mean, quantile};

/// How often a sample is drawn anew. The interval's ends are the 0.5th and 99.5th percentiles at four pairs: about a hundred
/// draws lie beyond each.
const DRAWS: u32 = 20_000;

/// A mean, and where the true one lies in 95 of 100 experiments.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean of the differences.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether 0 lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// The larger distance of an end from the mean: an effect below this would not have been told from none.
    pub fn half_width(&self) -> f64 {
        (self.high - self.mean).max(self.mean - self.low)
    }
}

/// The 95 % interval of the mean of `pairs`, the differences with and without a change. `controls` are the differences of
/// pairs without any.
///
/// A bootstrap of residuals (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 9) with three additions
/// for few pairs:
/// - The residuals of the controls are drawn from as well; their mean is known to be 0. Four pairs alone allow 35 different
///   samples, four pairs and two controls 126.
/// - Each residual is drawn with both signs: the difference of two blocks is as likely to fall either way.
/// - The percentiles are those that make the interval as wide as Student's t asks for (the *expanded percentile
///   interval* of Hesterberg, *What Teachers Should Know About the Bootstrap*, 2015, section 5.3).
///
/// BCa corrects skewness, which differences of like blocks do not have, and is no wider: it does not help here.
///
/// `None` with fewer than two pairs.
pub fn interval(pairs: &[f64], controls: &[f64], seed: u64) -> Option<Interval> {
    drawn(DRAWS, pairs, controls, seed)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of pairs")]
pub(super) fn drawn(draws: u32, pairs: &[f64], controls: &[f64], seed: u64) -> Option<Interval> {
    let n = pairs.len();
    let mean = mean(pairs).filter(|_| n >= 2)?;
    let unbiased = (n as f64 / (n as f64 - 1.0)).sqrt();
    let residuals = pairs.iter().map(|pair| (pair - mean) * unbiased).chain(controls.iter().copied());
    let pool: Vec<f64> = residuals.flat_map(|residual| [residual, -residual]).collect();
    let mut random = Random::new(seed);
    let draw = |_| (0..n).map(|_| random.one_of(&pool)).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..draws).map(draw).collect();
    let tail = normal_above(t_97_5(n - 1 + controls.len()));
    Some(Interval { mean, low: mean + quantile(&means, tail)?, high: mean + quantile(&means, 1.0 - tail)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let (pairs, controls) = ([-4.0, -5.0, -4.5, -5.5], [0.25, -0.5]);
        let first = interval(&pairs, &controls, 9).unwrap();
        assert_eq!(first, interval(&pairs, &controls, 9).unwrap());
        assert!((first.mean + 4.75).abs() < 1e-12 && first.excludes_zero(), "{first:?}");
        assert!(first.low < -5.0 && first.high > -4.5, "{first:?}");
    }

    #[test]
    fn noise_that_only_the_controls_show_widens_the_interval() {
        let pairs = [-4.0, -4.1, -4.05, -3.95];
        let quiet = interval(&pairs, &[0.05, -0.05], 1).unwrap();
        let loud = interval(&pairs, &[6.0, -5.0], 1).unwrap();
        assert!(quiet.excludes_zero() && !loud.excludes_zero(), "{quiet:?} {loud:?}");
        assert!(loud.half_width() > 10.0 * quiet.half_width());
    }

    #[test]
    fn what_never_varies_has_no_width_and_one_pair_no_interval() {
        assert_eq!(interval(&[2.0; 3], &[0.0; 2], 1), Some(Interval { mean: 2.0, low: 2.0, high: 2.0 }));
        assert_eq!(interval(&[2.0], &[0.0; 2], 1), None);
    }
}
