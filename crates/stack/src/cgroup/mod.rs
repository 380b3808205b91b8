//! Control groups.

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
    id: "cgroup",
    title: "Control groups",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
