//! Memory.

mod causes;
mod facts;
mod parse;
pub mod rates;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use parse::{parse_dentry_state, parse_meminfo, parse_slabinfo, parse_vmstat};
pub use read::{read, slabs_matter};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "memory",
    title: "Memory",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
