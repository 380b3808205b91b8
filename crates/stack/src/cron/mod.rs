//! Jobs that a clock starts.

mod causes;
mod facts;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "cron",
    title: "Jobs that a clock starts",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
