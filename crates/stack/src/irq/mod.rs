//! Interrupts and soft interrupts.

mod causes;
mod facts;
pub mod rates;
mod read;
mod stations;
mod symptoms;
mod vector;

pub use facts::*;
pub use read::{MOST_VECTORS, Softirqs, parse_interrupts, parse_softirqs, parse_softnet, read};
pub use vector::Vector;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "irq",
    title: "Interrupts and soft interrupts",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
