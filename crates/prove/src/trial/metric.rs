//! What is compared.

use serde::{Deserialize, Serialize};

/// Which way a figure should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

/// How much worse a guard may get before a change is taken back for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// By this share of what it was.
    Share(f64),
    /// By this much, in the figure's unit.
    Amount(f64),
}

/// A figure of blocks that two arms are compared by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What it is called in blocks and on the command line.
    pub name: String,
    /// What it is, as a person calls it.
    pub title: String,
    /// The unit of its values: `ms`, `s`, `/s`, `bytes`, `share`, or none.
    pub unit: String,
    /// Which way it should go.
    pub better: Better,
    /// What is let pass where it is a guard.
    pub tolerance: Tolerance,
}

impl Metric {
    /// A figure of which less is better, and 5 % more is let pass.
    pub fn new(name: &str, title: &str, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            better: Better::Lower,
            tolerance: Tolerance::Share(0.05),
        }
    }

    /// Of which more is better.
    #[must_use]
    pub fn higher(mut self) -> Self {
        self.better = Better::Higher;
        self
    }

    /// With another tolerance.
    #[must_use]
    pub fn tolerates(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }
}
