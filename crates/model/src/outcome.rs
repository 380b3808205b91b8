//! What a cause says of itself once it has seen the evidence.

use serde::{Deserialize, Serialize};

use crate::{Observation, Remedy};

/// How far the evidence carries a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence proves it.
    Confirmed,
    /// The evidence excludes it.
    RuledOut,
    /// It fits what was seen, but something else could explain that as well.
    Consistent,
    /// Evidence is missing; the outcome says which, and how to get it.
    Unknown,
}

/// What a confirmed cause does to the host; it follows from facts, not from taste. Ordered from the mildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A setting that does not do what it is believed to do.
    Folklore,
    /// No effect was measured, but it is wrong.
    Hygiene,
    /// It will break at a multiple of today's load, or at a named event.
    Latent,
    /// It explains a symptom that is present, or is the narrows.
    Limiting,
    /// Work is being lost now.
    Breaking,
}

impl Severity {
    /// The name as written in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folklore => "folklore",
            Self::Hygiene => "hygiene",
            Self::Latent => "latent",
            Self::Limiting => "limiting",
            Self::Breaking => "breaking",
        }
    }
}

impl Verdict {
    /// The name as a person reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::RuledOut => "ruled out",
            Self::Consistent => "consistent",
            Self::Unknown => "unknown",
        }
    }
}

/// Evidence that could not be had, and how to have it next time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// What is missing, as `source field`, or why it could not be read.
    pub what: String,
    /// What a person can do to provide it.
    pub how: String,
}

impl Missing {
    /// Names missing evidence and the way to get it.
    pub fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        Self { what: what.into(), how: how.into() }
    }

    /// One line a person reads; it fits whether `what` is a field or says why there was none.
    pub fn summary(&self) -> String {
        format!("evidence is missing: {}", self.what)
    }
}

/// The outcome of testing one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How far the evidence carries it.
    pub verdict: Verdict,
    /// How bad it is; meaningful for `Confirmed` and `Consistent`.
    pub severity: Severity,
    /// One line a person reads: the numbers that decided.
    pub summary: String,
    /// The evidence, most telling first.
    pub observations: Vec<Observation>,
    /// What would have to be known, for `Unknown` (and what would turn `Consistent` into proof).
    pub missing: Vec<Missing>,
    /// What would move the limit, computed from this host's numbers.
    pub remedies: Vec<Remedy>,
}

impl Outcome {
    fn of(verdict: Verdict, severity: Severity, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { verdict, severity, summary, observations: vec![], missing: vec![], remedies: vec![] }
    }

    /// The evidence proves the cause.
    pub fn confirmed(severity: Severity, summary: impl Into<String>) -> Self {
        Self::of(Verdict::Confirmed, severity, summary)
    }

    /// The evidence excludes the cause.
    pub fn ruled_out(summary: impl Into<String>) -> Self {
        Self::of(Verdict::RuledOut, Severity::Hygiene, summary)
    }

    /// The evidence fits, and does not prove.
    pub fn consistent(severity: Severity, summary: impl Into<String>) -> Self {
        Self::of(Verdict::Consistent, severity, summary)
    }

    /// Evidence is missing.
    pub fn unknown(missing: Missing) -> Self {
        let mut outcome = Self::of(Verdict::Unknown, Severity::Hygiene, missing.summary());
        outcome.missing.push(missing);
        outcome
    }

    /// Adds one observation.
    #[must_use]
    pub fn seen(mut self, observation: Observation) -> Self {
        self.observations.push(observation);
        self
    }

    /// Adds observations.
    #[must_use]
    pub fn seen_all(mut self, observations: impl IntoIterator<Item = Observation>) -> Self {
        self.observations.extend(observations);
        self
    }

    /// Adds evidence that is missing.
    #[must_use]
    pub fn lacks(mut self, missing: Missing) -> Self {
        self.missing.push(missing);
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }
}
