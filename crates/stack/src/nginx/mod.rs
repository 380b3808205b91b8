//! Nginx.

mod causes;
pub mod configuration;
mod facts;
pub mod logs;
mod masters;
mod read;
mod secrets;
mod stations;
mod stub_status;
mod symptoms;
mod tree;

pub use configuration::{Configuration, ConfigurationProblem, Context, Directive};
pub use facts::*;
pub use read::{configurations, document_roots, read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "Nginx",
    title: "Nginx",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
