//! Nginx.

mod caches;
mod causes;
pub mod configuration;
mod facts;
mod findings;
mod limits;
mod listen;
pub mod logs;
mod masters;
mod read;
mod secrets;
mod stations;
mod stub_status;
mod symptoms;
#[cfg(test)]
mod testing;
mod tree;

pub use caches::CacheFolder;
pub use configuration::{Configuration, ConfigurationProblem, Context, Directive};
pub use facts::*;
pub(crate) use listen::longer_backlog;
pub use read::{configurations, document_roots, read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "nginx",
    title: "Nginx",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
