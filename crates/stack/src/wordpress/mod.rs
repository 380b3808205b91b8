//! WordPress.

mod causes;
mod constants;
mod facts;
mod job;
mod read;
mod sites;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "wordpress",
    title: "WordPress",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
