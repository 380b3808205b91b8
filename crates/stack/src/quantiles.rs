//! Quantiles of something that was measured many times.

use serde::{Deserialize, Serialize};

/// How something that was measured many times is spread, in the unit of what was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// Half are at most this.
    pub p50: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Quantiles {
    /// Of a list in any order; `None` of an empty one. The nearest rank: the least value that so many are at most.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks within a list"
    )]
    pub fn of(values: &mut [f64]) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let rank = |share: f64| ((share * count as f64).ceil() as usize).clamp(1, count.max(1)) - 1;
        let at = |share| values.get(rank(share)).copied();
        Some(Self {
            count: count as u64,
            mean: values.iter().sum::<f64>() / count as f64,
            p50: at(0.50)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
            max: values.last().copied()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_value_that_so_many_are_at_most() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let quantiles = Quantiles::of(&mut values).unwrap();
        assert_eq!((quantiles.p50, quantiles.p95, quantiles.p99, quantiles.max), (50.0, 95.0, 99.0, 100.0));
        assert_eq!((quantiles.count, quantiles.mean), (100, 50.5));
        assert_eq!(Quantiles::of(&mut []), None);
    }
}
