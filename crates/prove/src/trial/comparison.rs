//! One figure, with and without.

use serde::{Deserialize, Serialize};

use super::{Arm, Better, Measured, Metric, Pair};
use crate::statistics::{Interval, SIGNIFICANT, interval, median, p_value};

/// How differences are stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// As shares of what it was without the change: −0.2 is a fifth less. Pairs are compared by the logarithm of their
    /// ratio, so that twice and half are equally far from the same.
    Share,
    /// In the figure's unit, for figures that may be 0.
    Amount,
}

/// A figure compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The figure.
    #[serde(flatten)]
    pub metric: Metric,
    /// How effect, interval, noise and smallest effect are stated.
    pub scale: Scale,
    /// The median of the blocks of trial pairs without the change.
    pub without: f64,
    /// The median of those with it.
    pub with: f64,
    /// The mean difference of pairs: with the change less without it.
    pub effect: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How probable it is that the machine alone did it (permutation test).
    pub p: f64,
    /// The largest difference between two blocks without any change; `None` without control pairs.
    pub noise: Option<f64>,
    /// An effect smaller than this would not have been told from none.
    pub smallest_seen: f64,
}

/// A figure that some blocks do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The figure.
    pub name: String,
    /// Blocks that have it.
    pub measured: usize,
    /// All blocks.
    pub of: usize,
}

impl Comparison {
    /// Whether it differs beyond noise: interval and permutation test both say so.
    pub fn is_seen(&self) -> bool {
        (self.low > 0.0 || self.high < 0.0) && self.p <= SIGNIFICANT
    }

    /// Whether it got better beyond noise.
    pub fn got_better(&self) -> bool {
        self.is_seen() && (self.effect < 0.0) == (self.metric.better == Better::Lower)
    }

    /// Whether it got worse beyond noise.
    pub fn got_worse(&self) -> bool {
        self.is_seen() && !self.got_better()
    }
}

/// Compares the arms by a figure.
///
/// # Errors
/// When a block does not have the figure: leaving blocks out would leave out those with which something was wrong.
pub fn compare(measured: &[Measured], metric: &Metric, seed: u64) -> Result<Comparison, Missing> {
    let value =
        |one: &Measured| one.block.figures.get(&metric.name).copied().filter(|value| value.is_finite());
    let values: Vec<f64> = measured.iter().filter_map(value).collect();
    let missing = || Missing { name: metric.name.clone(), measured: values.len(), of: measured.len() };
    if values.len() < measured.len() {
        return Err(missing());
    }
    let scale = if values.iter().all(|value| *value > 0.0) { Scale::Share } else { Scale::Amount };
    let differences = |pair| differences(measured, pair, scale, &value);
    let (trials, controls) = (differences(Pair::Trial), differences(Pair::Control));
    let Interval { mean, low, high } = interval(&trials, &controls, seed).ok_or_else(missing)?;
    let arm = |arm| {
        let of_arm = |one: &&Measured| one.place.pair == Pair::Trial && one.place.arm == arm;
        median(&measured.iter().filter(of_arm).filter_map(value).collect::<Vec<_>>())
    };
    let stated = |difference: f64| match scale {
        Scale::Share => difference.exp_m1(),
        Scale::Amount => difference,
    };
    let noise = controls.iter().map(|control| stated(control.abs())).max_by(f64::total_cmp);
    Ok(Comparison {
        metric: metric.clone(),
        scale,
        without: arm(Arm::Without).ok_or_else(missing)?,
        with: arm(Arm::With).ok_or_else(missing)?,
        effect: stated(mean),
        low: stated(low),
        high: stated(high),
        p: p_value(&trials, &controls, seed),
        noise,
        smallest_seen: stated(Interval { mean, low, high }.half_width()),
    })
}

/// Per pair, with the change less without it; of control pairs the second less the first.
fn differences(
    measured: &[Measured],
    kind: Pair,
    scale: Scale,
    value: &impl Fn(&Measured) -> Option<f64>,
) -> Vec<f64> {
    let of_kind: Vec<_> = measured.iter().filter(|one| one.place.pair == kind).collect();
    let difference = |pair: &[&Measured]| {
        let [first, second] = pair else { return None };
        let (first, second, turned) = (value(first)?, value(second)?, first.place.arm == Arm::With);
        let difference = match scale {
            Scale::Share => (second / first).ln(),
            Scale::Amount => second - first,
        };
        Some(if turned { -difference } else { difference })
    };
    of_kind.chunks(2).filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Block, Schedule};

    /// An experiment with two control pairs and these values of `p99`, in the order of the blocks.
    fn blocks(values: &[f64]) -> Vec<Measured> {
        let pairs = u32::try_from(values.len() / 2).unwrap() - 2;
        let block = |value: &f64| Block { figures: [("p99".to_owned(), *value)].into(), ..Block::default() };
        let places = Schedule::new(2, pairs);
        places.zip(values).map(|(place, value)| Measured { place, block: block(value) }).collect()
    }

    fn metric() -> Metric {
        Metric::new("p99", "99th percentile", "ms")
    }

    #[test]
    fn pairs_are_compared_in_the_order_of_their_arms() {
        let measured = blocks(&[10.0, 11.0, 10.0, 9.9, 10.0, 5.0, 5.5, 11.0, 10.0, 5.0, 5.0, 10.0]);
        let found = compare(&measured, &metric(), 1).unwrap();
        assert_eq!((found.without, found.with, found.scale), (10.0, 5.0, Scale::Share));
        assert!((found.effect + 0.5).abs() < 1e-9, "half: {found:?}");
        assert!((found.noise.unwrap() - 0.1).abs() < 1e-9, "{found:?}");
        assert!(
            found.got_better() && !found.got_worse() && found.low > -1.0 && found.high < 0.0,
            "{found:?}"
        );
    }

    #[test]
    fn steady_drift_is_no_effect() {
        let drifting: Vec<f64> = (0..12).map(|block| 100.0 + 3.0 * f64::from(block)).collect();
        let found = compare(&blocks(&drifting), &metric(), 1).unwrap();
        assert!(!found.is_seen(), "{found:?}");
    }

    #[test]
    fn what_may_be_nought_is_compared_by_amount() {
        let measured = blocks(&[200.0, 210.0, 190.0, 200.0, 205.0, 0.0, 0.0, 195.0, 200.0, 0.0, 0.0, 210.0]);
        let found = compare(&measured, &metric(), 1).unwrap();
        assert_eq!((found.scale, found.effect), (Scale::Amount, -202.5));
        assert!(found.got_better() && found.smallest_seen < 40.0, "{found:?}");
    }

    #[test]
    fn a_block_without_the_figure_is_no_block_to_leave_out() {
        let mut measured = blocks(&[10.0; 12]);
        measured[7].block.figures.clear();
        let missing = compare(&measured, &metric(), 1).unwrap_err();
        assert_eq!((missing.measured, missing.of), (11, 12));
        assert!(compare(&measured[..6], &metric(), 1).is_err(), "one pair has no interval");
    }
}
