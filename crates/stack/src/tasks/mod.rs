//! Processes and threads.

mod accept;
mod causes;
mod detail;
mod facts;
mod parse;
pub mod places;
mod read;
mod scan;
mod stations;
mod symptoms;
pub(crate) mod syscalls;

pub(crate) use detail::architecture_of;
pub use facts::*;
pub(crate) use parse::parse_call;
pub use parse::{TaskStat, parse_stack, parse_stat, parse_syscall, parse_wchan};
pub use read::read;
pub use scan::Scanner;
pub use syscalls::Architecture;

use crate::Layer;

/// Everything known about this layer.
pub const LAYER: Layer = Layer {
    id: "tasks",
    title: "Processes and threads",
    stations: stations::stations,
    symptoms: symptoms::SYMPTOMS,
    causes: causes::CAUSES,
};
