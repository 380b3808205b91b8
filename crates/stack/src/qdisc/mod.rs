//! Queueing disciplines.

mod causes;
mod facts;
mod per_flow;
pub mod rates;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "qdisc",
    title: "Queueing disciplines",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
