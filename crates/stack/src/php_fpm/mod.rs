//! PHP-FPM.

mod causes;
mod facts;
mod read;
mod stations;
mod symptoms;

pub use facts::*;
pub(crate) use read::Now;
pub use read::{masters, read, read_counters};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "php-fpm",
    title: "PHP-FPM",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
