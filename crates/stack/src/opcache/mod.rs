//! OPcache.

mod asking;
mod causes;
mod counters;
mod facts;
mod growth;
pub mod preload;
mod preload_script;
pub(crate) mod rates;
mod read;
mod runtimes;
mod stations;
mod symptoms;
mod view;

pub use facts::*;
pub use read::{read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "opcache",
    title: "OPcache",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
