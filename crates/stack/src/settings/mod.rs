//! Kernel parameters and the configuration files behind them.

mod causes;
pub mod edits;
mod facts;
mod keys;
pub mod lines;
mod parse;
mod read;
mod secrets;

pub use facts::{Facts, FstabMount, Persisted};
pub use parse::{parse_fstab, parse_sysctl_files};
pub use read::{read, read_values};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "settings",
    title: "Kernel parameters and their files",
    stations: |_| vec![],
    symptoms: &[],
    causes: causes::CAUSES,
};
