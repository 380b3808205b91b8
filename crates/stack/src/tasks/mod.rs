//! Processes and threads.

mod causes;
mod facts;
mod read;
mod scan;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::read;
pub use scan::Scanner;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "tasks",
    title: "Processes and threads",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
