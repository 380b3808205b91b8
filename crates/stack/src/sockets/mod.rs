//! Sockets and TCP.

mod bbr;
mod causes;
pub mod counters;
mod daemons;
mod facts;
mod fin_wait2;
mod folklore;
pub mod parameters;
pub mod ports;
pub mod queues;
mod read;
mod reserve;
mod stations;
mod symptoms;
pub mod transport;

pub use facts::*;
pub use read::{
    Counters, DEFAULT_PORT_RANGE, parse_counters, parse_port_list, parse_port_range, parse_sockstat, read,
};

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "sockets",
    title: "Sockets and TCP",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
