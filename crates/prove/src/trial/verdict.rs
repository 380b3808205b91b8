//! What to do with a change.

use serde::{Deserialize, Serialize};

use super::{Better, Comparison, Scale, Tolerance};

/// What the blocks say of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The figure it promised to move moved that way beyond noise, and no guard got worse: it is worth keeping.
    Kept,
    /// The figure or a guard got worse beyond noise.
    Reverted,
    /// Nothing that was measured moved beyond noise, or only what was not promised.
    NoMeasurableEffect,
}

/// A verdict and what decided it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The figures that got worse, by name, the promised one first.
    pub worse: Vec<String>,
}

/// Judges a change by the figure it promised to move and by its guards.
pub fn judge(primary: &Comparison, guards: &[Comparison]) -> Judgement {
    let guards = guards.iter().filter(|guard| guard.got_worse() && is_beyond_tolerance(guard));
    let primaries = std::iter::once(primary).filter(|primary| primary.got_worse());
    let worse: Vec<_> = primaries.chain(guards).map(|comparison| comparison.metric.name.clone()).collect();
    let verdict = match (worse.is_empty(), primary.got_better()) {
        (false, _) => Verdict::Reverted,
        (true, true) => Verdict::Kept,
        (true, false) => Verdict::NoMeasurableEffect,
    };
    Judgement { verdict, worse }
}

fn is_beyond_tolerance(guard: &Comparison) -> bool {
    let worse = match guard.metric.better {
        Better::Lower => guard.effect,
        Better::Higher => -guard.effect,
    };
    match (guard.metric.tolerance, guard.scale) {
        (Tolerance::Share(share), Scale::Share) => worse > share,
        (Tolerance::Share(share), Scale::Amount) => worse > share * guard.without.abs(),
        (Tolerance::Amount(amount), Scale::Share) => worse * guard.without > amount,
        (Tolerance::Amount(amount), Scale::Amount) => worse > amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Metric;

    fn moved(name: &str, effect: f64, half: f64) -> Comparison {
        Comparison {
            metric: Metric::new(name, name, "ms"),
            scale: Scale::Share,
            without: 100.0,
            with: 100.0 * (1.0 + effect),
            effect,
            low: effect - half,
            high: effect + half,
            p: if effect.abs() > half { 0.01 } else { 0.5 },
            noise: Some(0.01),
            smallest_seen: half,
        }
    }

    #[test]
    fn a_change_is_kept_for_what_it_promised_and_only_while_the_guards_hold() {
        let better = moved("p99", -0.4, 0.1);
        let verdict = |guard: Comparison| judge(&better, &[guard]).verdict;
        assert_eq!(verdict(moved("cpu", 0.02, 0.1)), Verdict::Kept, "noise");
        assert_eq!(verdict(moved("cpu", 0.03, 0.01)), Verdict::Kept, "worse, and let pass");
        assert_eq!(verdict(moved("cpu", 0.2, 0.1)), Verdict::Reverted);
        assert_eq!(verdict(moved("cpu", 0.2, 0.3)), Verdict::Kept, "20 % that may as well be noise");
        let both = judge(&moved("p99", 0.4, 0.1), &[moved("memory", 0.2, 0.1)]);
        assert_eq!((both.verdict, both.worse), (Verdict::Reverted, vec!["p99".into(), "memory".into()]));
    }

    #[test]
    fn a_guard_that_got_better_is_no_reason_to_keep() {
        let verdict = judge(&moved("p99", -0.05, 0.1), &[moved("cpu", -0.5, 0.1)]).verdict;
        assert_eq!(verdict, Verdict::NoMeasurableEffect);
    }

    #[test]
    fn an_interval_without_the_second_opinion_is_not_enough() {
        let alone = Comparison { p: 0.08, ..moved("p99", -0.4, 0.1) };
        assert_eq!(judge(&alone, &[]).verdict, Verdict::NoMeasurableEffect);
    }

    #[test]
    fn more_is_better_where_it_is() {
        let mut goodput = moved("goodput", 0.3, 0.1);
        goodput.metric.better = Better::Higher;
        assert_eq!(judge(&goodput, &[]).verdict, Verdict::Kept);
        goodput.effect = -0.3;
        (goodput.low, goodput.high) = (-0.4, -0.2);
        assert_eq!(judge(&goodput, &[]).verdict, Verdict::Reverted);
    }

    #[test]
    fn tolerances_hold_in_their_own_unit() {
        let amount = |effect: f64, tolerance| {
            let metric = Metric::new("failed", "failed", "share").tolerates(tolerance);
            let guard =
                Comparison { metric, scale: Scale::Amount, without: 0.0, ..moved("failed", effect, 0.0) };
            judge(&moved("p99", -0.4, 0.1), &[guard]).verdict
        };
        assert_eq!(amount(0.0005, Tolerance::Amount(0.001)), Verdict::Kept);
        assert_eq!(amount(0.002, Tolerance::Amount(0.001)), Verdict::Reverted);
        assert_eq!(amount(0.002, Tolerance::Share(0.5)), Verdict::Reverted, "half of nothing is nothing");
    }
}
