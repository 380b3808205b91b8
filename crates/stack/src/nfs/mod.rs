//! Network file systems.

mod causes;
mod facts;
mod mounted;
mod mountstats;
pub mod rates;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub use mountstats::{BYTES, EVENTS, parse_mountstats};
pub use read::{MountLine, parse_mounts, read};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "nfs",
    title: "Network file systems",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
