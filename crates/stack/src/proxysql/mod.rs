//! ProxySQL.

mod causes;
mod facts;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
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
