//! ProxySQL.

mod causes;
mod edits;
mod facts;
mod pinning;
mod read;
mod stations;
mod symptoms;
mod verdicts;
mod view;

pub use facts::*;
pub(crate) use read::is_administration;
pub use read::{read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "proxysql",
    title: "ProxySQL",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
