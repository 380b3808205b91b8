//! Control groups.

mod causes;
mod facts;
mod parse;
mod processors;
pub mod rates;
mod read;
mod stations;
mod symptoms;
mod unit;
mod walk;

pub(crate) use causes::hog;
pub use facts::*;
pub use parse::{parse_cpu_max, parse_io_bytes, parse_key_values, parse_mounts};
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
