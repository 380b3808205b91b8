//! PHP-FPM.

mod causes;
mod database;
mod edits;
mod facts;
pub(crate) mod figures;
mod listen;
pub(crate) mod passes;
mod ramp;
mod read;
mod sizing;
mod stations;
mod symptoms;
pub(crate) mod verdicts;
pub(crate) mod view;

pub use database::DatabaseLimit;
pub(crate) use database::{Uses, uses};
pub(crate) use edits::smaller;
pub use facts::*;
pub(crate) use listen::{backlog_change, useful_backlog};
pub(crate) use read::Now;
pub use read::{masters, read, read_counters};
pub(crate) use stations::is_of_a_pool;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "php-fpm",
    title: "PHP-FPM",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
