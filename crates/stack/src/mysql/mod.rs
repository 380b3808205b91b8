//! MariaDB and MySQL.

mod causes;
mod facts;
pub(crate) mod option_files;
mod read;
mod stations;
mod symptoms;
pub mod values;
pub mod version_facts;
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
