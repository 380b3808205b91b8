//! What a scenario showed.

use model::Verdict;
use model::report::Report;
use serde::{Deserialize, Serialize};

use crate::faults::{FaultError, Result};

/// What one scenario showed. A scenario fills it in as it goes, so that one that is cut short still says how far it came.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Score {
    /// The scenario.
    pub scenario: String,
    /// The causes that `check` had to name, and what it said.
    pub causes: Vec<Named>,
    /// The rivals that `check` had to rule out.
    pub rivals: Vec<Rival>,
    /// Causes that `check` confirmed on the healthy twin, from severity latent on; `None` where there is no twin yet.
    pub false_findings: Option<Vec<String>>,
    /// What changes did to figures.
    pub effects: Vec<Effect>,
    /// Whether everything was as before after `undo`; `None` where nothing was changed.
    pub restored: Option<bool>,
    /// What the chain of stations foretold, and what came.
    pub predictions: Vec<Prediction>,
    /// What a reader of the scoreboard should know.
    pub remarks: Vec<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why it ended early.
    pub error: Option<String>,
}

/// A cause that had to be named.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Named {
    /// The cause.
    pub cause: String,
    /// What `check` said of it.
    pub verdict: Option<Verdict>,
    /// Whether it stands first among what `check` confirmed.
    pub first: bool,
    /// The numbers that decided.
    pub summary: String,
}

/// A cause that had to be ruled out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rival {
    /// The cause.
    pub cause: String,
    /// What `check` said of it.
    pub verdict: Option<Verdict>,
}

/// What a change, made by `narrows apply`, did to a figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Effect {
    /// What was changed, from what to what.
    pub change: String,
    /// The figure and its unit.
    pub metric: String,
    /// Before the change.
    pub before: f64,
    /// With it.
    pub after: f64,
    /// After `undo`, where it was measured.
    pub undone: Option<f64>,
    /// What had to come of it.
    pub expected: Expected,
}

/// What had to come of a change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Expected {
    /// The figure falls to at most this share of what it was.
    FallsTo(f64),
    /// The figure rises to at least this multiple.
    RisesTo(f64),
    /// It stays within this factor: a wrong cure.
    Stays(f64),
}

/// A request rate that `check` foretold at low load, and the one at which the stack did saturate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prediction {
    /// The station that was to be the limit.
    pub station: String,
    /// Requests per second, foretold.
    pub predicted_per_s: f64,
    /// At which load it was foretold, in requests per second.
    pub at_per_s: f64,
    /// Requests per second, measured.
    pub measured_per_s: f64,
}

impl Prediction {
    /// Foretold ÷ measured.
    pub fn ratio(&self) -> f64 {
        self.predicted_per_s / self.measured_per_s
    }

    /// Whether it came within 15 % of what was measured.
    pub fn holds(&self) -> bool {
        (0.85..=1.15).contains(&self.ratio())
    }
}

impl Effect {
    /// Before ÷ after for what should fall, after ÷ before for what should rise; infinite when it fell to nothing.
    pub fn ratio(&self) -> f64 {
        match self.expected {
            Expected::FallsTo(_) | Expected::Stays(_) => self.before / self.after,
            Expected::RisesTo(_) => self.after / self.before,
        }
    }

    /// Whether what had to come of it came. Where there was nothing before, there was nothing to move.
    pub fn holds(&self) -> bool {
        let (before, after) = (self.before, self.after);
        before > 0.0
            && match self.expected {
                Expected::FallsTo(share) => after <= before * share,
                Expected::RisesTo(times) => after >= before * times,
                Expected::Stays(factor) => after <= before * factor && before <= after * factor,
            }
    }
}

impl Score {
    /// Takes from a report what it says of the cause that it had to name and of the rivals.
    pub fn judge(&mut self, report: &Report, cause: &str, rivals: &[&str]) {
        let of = |id: &str| report.causes.iter().find(|found| found.id == id);
        let worst = report.causes.iter().find(|found| found.verdict == Verdict::Confirmed);
        self.causes.push(Named {
            cause: cause.to_owned(),
            verdict: of(cause).map(|found| found.verdict),
            first: worst.is_some_and(|first| first.id == cause),
            summary: match (of(cause), worst) {
                (Some(found), Some(first)) if found.id != first.id => {
                    format!("{}; before it {}: {}", found.summary, first.id, first.summary)
                }
                (found, _) => found.map(|found| found.summary.clone()).unwrap_or_default(),
            },
        });
        let undecided = rivals.iter().chain([&cause]).filter_map(|id| of(id));
        let undecided = undecided.filter(|found| found.verdict == Verdict::Unknown);
        self.remarks.extend(undecided.map(|found| format!("{} is unknown: {}", found.id, found.summary)));
        let rivals = rivals
            .iter()
            .map(|id| Rival { cause: (*id).to_owned(), verdict: of(id).map(|found| found.verdict) });
        self.rivals.extend(rivals);
    }

    /// Takes from a report that it rules these causes out, where a wrong one would be easy to name.
    pub fn judge_rivals(&mut self, report: &Report, rivals: &[&str]) {
        let verdict = |id: &str| report.causes.iter().find(|found| found.id == id).map(|found| found.verdict);
        let rivals = rivals.iter().map(|id| Rival { cause: (*id).to_owned(), verdict: verdict(id) });
        self.rivals.extend(rivals);
    }

    /// Takes from a report whether it calls a setting that does nothing by its name. It counts as named where it is
    /// confirmed as folklore, wherever it stands.
    pub fn judge_folklore(&mut self, report: &Report, cause: &str) {
        let found = report.causes.iter().find(|found| found.id == cause);
        self.causes.push(Named {
            cause: cause.to_owned(),
            verdict: found.map(|found| found.verdict),
            first: found.is_some_and(|found| found.severity == Some(model::Severity::Folklore)),
            summary: found.map(|found| found.summary.clone()).unwrap_or_default(),
        });
    }

    /// Takes from a report of the healthy twin what it should not have found.
    pub fn judge_twin(&mut self, report: &Report) {
        let found = report.causes.iter().filter(|cause| {
            cause.verdict == Verdict::Confirmed && cause.severity >= Some(model::Severity::Latent)
        });
        let found = found.map(|cause| format!("{}: {}", cause.id, cause.summary));
        self.false_findings.get_or_insert_default().extend(found);
    }

    /// What was demanded and did not come, in words; empty when the scenario holds.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.error.iter().cloned().collect();
        for named in &self.causes {
            match named.verdict {
                Some(Verdict::Confirmed) if named.first => {}
                Some(Verdict::Confirmed) => {
                    complaints.push(format!("{} is not named first: {}", named.cause, named.summary));
                }
                other => complaints.push(format!("{} is {other:?}: {}", named.cause, named.summary)),
            }
        }
        let standing = self.rivals.iter().filter(|rival| rival.verdict != Some(Verdict::RuledOut));
        complaints.extend(standing.map(|rival| format!("{} is {:?}", rival.cause, rival.verdict)));
        let false_findings = self.false_findings.iter().flatten();
        complaints.extend(false_findings.map(|found| format!("on the healthy twin: {found}")));
        let broken = self.effects.iter().filter(|effect| !effect.holds());
        complaints.extend(broken.map(|effect| {
            let Effect { change, metric, before, after, expected, .. } = effect;
            format!("{change}: {metric} {before:.3} → {after:.3}, expected {expected:?}")
        }));
        let missed = self.predictions.iter().filter(|prediction| !prediction.holds());
        complaints.extend(missed.map(|prediction| {
            let Prediction { station, predicted_per_s, measured_per_s, .. } = prediction;
            format!("{station}: foretold {predicted_per_s:.1}/s, measured {measured_per_s:.1}/s")
        }));
        if self.restored == Some(false) {
            complaints.push("undo did not restore everything".to_owned());
        }
        complaints.extend(self.omissions().map(str::to_owned));
        complaints
    }

    /// What a scenario must look at, and this one did not: what was not looked at cannot fail.
    fn omissions(&self) -> impl Iterator<Item = &'static str> {
        let omitted = [
            (
                self.causes.is_empty() && self.predictions.is_empty() && self.rivals.is_empty(),
                "nothing was demanded of check",
            ),
            (!self.causes.is_empty() && self.false_findings.is_none(), "there was no healthy twin"),
            (!self.effects.is_empty() && self.restored.is_none(), "nobody looked what undo restored"),
        ];
        omitted.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what)
    }

    /// An error where something that was demanded did not come.
    pub fn demand(&self) -> Result<()> {
        let complaints = self.complaints();
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(FaultError::new(format!("{}: {}", self.scenario, complaints.join("; ")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(before: f64, after: f64, expected: Expected) -> Effect {
        Effect { change: String::new(), metric: String::new(), before, after, undone: None, expected }
    }

    fn whole() -> Score {
        let named = Named {
            cause: "irq.skew".to_owned(),
            verdict: Some(Verdict::Confirmed),
            first: true,
            summary: String::new(),
        };
        Score {
            causes: vec![named],
            rivals: vec![Rival { cause: "cpu.steal".to_owned(), verdict: Some(Verdict::RuledOut) }],
            false_findings: Some(vec![]),
            effects: vec![effect(10.0, 1.0, Expected::FallsTo(0.5))],
            restored: Some(true),
            ..Score::default()
        }
    }

    #[test]
    fn an_effect_holds_where_the_figure_went_as_expected_from_something() {
        assert!(effect(10.0, 5.0, Expected::FallsTo(0.5)).holds());
        assert!(!effect(10.0, 5.1, Expected::FallsTo(0.5)).holds());
        assert!(effect(10.0, 20.0, Expected::RisesTo(2.0)).holds());
        assert!(!effect(10.0, 19.0, Expected::RisesTo(2.0)).holds());
        assert!(effect(10.0, 9.5, Expected::Stays(1.1)).holds());
        assert!(!effect(10.0, 5.0, Expected::Stays(1.1)).holds());
        for expected in [Expected::FallsTo(0.5), Expected::RisesTo(2.0), Expected::Stays(1.1)] {
            assert!(!effect(0.0, 0.0, expected).holds(), "{expected:?}");
            assert!(!effect(f64::NAN, 1.0, expected).holds(), "{expected:?}");
        }
    }

    #[test]
    fn a_score_holds_only_when_everything_was_demanded_and_came() {
        assert_eq!(whole().complaints(), Vec::<String>::new());
        let spoiled: [fn(&mut Score); 8] = [
            |score| (score.causes, score.rivals) = (vec![], vec![]),
            |score| score.causes[0].first = false,
            |score| score.causes[0].verdict = None,
            |score| score.rivals[0].verdict = Some(Verdict::Unknown),
            |score| score.false_findings = None,
            |score| score.false_findings = Some(vec!["cpu.steal".to_owned()]),
            |score| score.restored = None,
            |score| score.effects[0].after = 9.0,
        ];
        for (index, spoil) in spoiled.iter().enumerate() {
            let mut score = whole();
            spoil(&mut score);
            assert_eq!(score.complaints().len(), 1, "{index}: {:?}", score.complaints());
            assert!(score.demand().is_err());
        }
    }

    #[test]
    fn a_prediction_alone_is_enough_and_must_come_within_15_percent() {
        let foretold = |predicted_per_s| Score {
            predictions: vec![Prediction {
                station: "sockets.ports".to_owned(),
                predicted_per_s,
                at_per_s: 1.0,
                measured_per_s: 10.0,
            }],
            ..Score::default()
        };
        assert!(foretold(11.4).complaints().is_empty());
        assert_eq!(foretold(11.6).complaints().len(), 1);
        assert_eq!(Score::default().complaints(), ["nothing was demanded of check"]);
    }
}
