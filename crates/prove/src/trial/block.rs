//! What a block measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What was found of one cause in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// The evidence of the block proves it.
    Confirmed,
    /// It does not, or excludes it.
    NotConfirmed,
    /// Evidence was missing.
    Unknown,
}

/// The figures of one block.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// How long it was measured, in seconds, its warm-up left out.
    pub seconds: f64,
    /// Requests or runs that were measured.
    pub count: u64,
    /// Its figures by name; what could not be measured is not among them.
    pub figures: BTreeMap<String, f64>,
    /// The causes that the change is for, by identity.
    pub causes: BTreeMap<String, Confirmation>,
}

/// What a probe found while a block ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probed {
    /// CPU time that everything on the host used, the measurement itself left out, in seconds.
    pub cpu_s: Option<f64>,
    /// How long it looked, in seconds.
    pub seconds: f64,
    /// Figures by name.
    pub figures: BTreeMap<String, f64>,
    /// Causes by identity.
    pub causes: BTreeMap<String, Confirmation>,
}

/// Something that looks at the host while a block is measured.
pub trait Probe {
    /// The part of the block that counts begins now, and takes so long where that is known.
    fn begin(&mut self, length: Option<Duration>);

    /// It is over.
    fn end(&mut self) -> Probed;
}
