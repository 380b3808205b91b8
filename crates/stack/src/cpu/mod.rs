//! CPU time, load and pressure.

mod causes;
mod facts;
mod parse;
mod read;
pub mod shares;
mod stations;
mod symptoms;

pub use facts::*;
pub use parse::{parse_loadavg, parse_pressure, parse_schedstat, parse_stat};
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "cpu",
    title: "CPU time, load and pressure",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
