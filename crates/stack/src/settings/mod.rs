//! Kernel parameters and the configuration files behind them.

mod facts;
mod read;

pub use facts::{Facts, FstabMount, Persisted};
pub use read::{read_files, read_values};
