//! Jobs that a clock starts.

mod causes;
mod command;
mod crontab;
mod facts;
mod jobs;
mod read;
mod schedule;
mod stations;
mod symptoms;
mod units;

pub use facts::*;
pub use read::read;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "cron",
    title: "Jobs that a clock starts",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
