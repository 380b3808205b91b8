//! What a layer is made of: stations, symptoms and causes, as constants that list themselves.

use model::{Missing, Observation, Outcome, Station};

use crate::Evidence;

/// A layer of the stack and everything known about it.
pub struct Layer {
    /// Its name, the first part of the identity of all it holds.
    pub id: &'static str,
    /// What it is, as a person calls it.
    pub title: &'static str,
    /// Its limits, as measured. What the evidence lacks is left out.
    pub stations: fn(&Evidence) -> Vec<Station>,
    /// What is felt or seen here.
    pub symptoms: &'static [&'static Symptom],
    /// What can be wrong here.
    pub causes: &'static [&'static Cause],
}

/// Something felt or seen, which several causes could explain.
pub struct Symptom {
    /// `layer.problem`, which never changes once published.
    pub id: &'static str,
    /// What it is, as a person calls it.
    pub title: &'static str,
    /// Documentation and test cases.
    pub document: &'static str,
    /// Whether it is there.
    pub test: fn(&Evidence) -> Result<Presence, Missing>,
}

/// Whether a symptom is there, and what shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Presence {
    /// Whether it is there.
    pub present: bool,
    /// What was seen, in one line.
    pub summary: String,
    /// What was seen.
    pub observations: Vec<Observation>,
}

impl Presence {
    /// Says whether a symptom is there, in one line.
    pub fn new(present: bool, summary: impl Into<String>) -> Self {
        Self { present, summary: summary.into(), observations: vec![] }
    }

    /// Adds an observation.
    #[must_use]
    pub fn seen(mut self, observation: Observation) -> Self {
        self.observations.push(observation);
        self
    }
}

/// Something that can be wrong, tested on every run.
pub struct Cause {
    /// `layer.problem`, naming the problem and never the fix; it never changes once published.
    pub id: &'static str,
    /// What it is, as a person calls it.
    pub title: &'static str,
    /// The symptoms it could explain.
    pub explains: &'static [&'static str],
    /// Symptoms it is often blamed for and cannot explain.
    pub refutes: &'static [Refutation],
    /// Documentation, specification and test cases.
    pub document: &'static str,
    /// Decides over evidence alone. `Err` means that evidence is missing, which is the verdict `Unknown`.
    pub test: fn(&Evidence) -> Result<Outcome, Missing>,
}

/// A symptom that a cause cannot explain, however bad the cause itself is.
pub struct Refutation {
    /// The symptom's identity.
    pub symptom: &'static str,
    /// The mechanism that makes it impossible, in one line.
    pub because: &'static str,
}
