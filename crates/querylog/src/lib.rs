//! Digests logs of queries of MySQL, MariaDB and Percona Server.
//!
//! Bytes go in, in chunks; a [`Digest`] comes out: queries grouped into classes by their fingerprint, with exact counts and
//! sums and quantiles of stated error. Digests merge, exactly, whatever order and machine they come from.

#![allow(dead_code, reason = "the reader of logs, which uses it, comes next")]

pub mod attribute;
pub mod class;
pub mod digest;
pub mod event;
pub mod histogram;
pub mod metric;
pub mod problem;
pub mod select;
pub mod texts;
pub mod time;

pub use attribute::{Attribute, Unit};
pub use class::{Class, Sample};
pub use digest::{Digest, File};
pub use event::{Command, Event, Value};
pub use metric::{Flag, Metric, Spread};
pub use problem::{Problem, Problems};
pub use select::{All, Basic, Select};
pub use texts::Texts;
pub use time::Time;

/// How a log is read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many threads parse; reading takes turns.
    pub threads: usize,
    /// How many bytes of the worst statement of each class are kept.
    pub sample_bytes: usize,
    /// The attribute by which an event is the worst of its class.
    pub worst_by: Attribute,
    /// How many bytes are read at once.
    pub chunk_bytes: usize,
    /// The largest record that is kept in memory as a whole; of larger ones the rest is counted, not read.
    pub record_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            sample_bytes: 10 * 1024,
            worst_by: Attribute::QUERY_TIME,
            chunk_bytes: 256 * 1024,
            record_bytes: 4 << 20,
        }
    }
}
