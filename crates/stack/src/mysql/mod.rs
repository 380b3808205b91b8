//! MariaDB and MySQL.

mod beside;
mod causes;
mod edits;
mod facts;
pub(crate) mod figures;
pub(crate) mod option_files;
mod options;
mod pool_size;
mod read;
mod stations;
mod symptoms;
pub mod values;
mod verdicts;
pub mod version_facts;
mod view;
mod window;

pub use facts::*;
pub use read::{read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "mysql",
    title: "MariaDB and MySQL",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
