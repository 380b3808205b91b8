//! Block devices.

mod causes;
mod facts;
pub mod rates;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::{parse, read};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "disk",
    title: "Block devices",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
