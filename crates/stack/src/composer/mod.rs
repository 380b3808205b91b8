//! Code and its autoloader.

mod autoloader;
mod causes;
mod facts;
pub mod profile;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "composer",
    title: "Code and its autoloader",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
