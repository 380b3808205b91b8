//! Network interfaces.

mod causes;
mod facts;
pub(crate) mod queues;
pub mod rates;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use read::{MOST_QUEUES, MOST_VIRTUAL, read};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "nic",
    title: "Network interfaces",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
