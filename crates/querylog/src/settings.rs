//! How a log is read.

use crate::attribute::Attribute;
use crate::fingerprint::Options;
use crate::format::Format;

/// How a log is read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many threads parse; reading takes turns.
    pub threads: usize,
    /// Which kind of log it is; without it, the first record tells.
    pub format: Option<Format>,
    /// How fingerprints are made.
    pub fingerprint: Options,
    /// How many bytes of the worst statement of each class are kept.
    pub sample_bytes: usize,
    /// The attribute by which an event is the worst of its class.
    pub worst_by: Attribute,
    /// How many bytes are read at once.
    pub chunk_bytes: usize,
    /// The largest record that is kept in memory as a whole; of larger ones the rest is counted, not kept.
    pub record_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            format: None,
            fingerprint: Options::default(),
            sample_bytes: 64 * 1024,
            worst_by: Attribute::QUERY_TIME,
            chunk_bytes: 256 * 1024,
            record_bytes: 4 << 20,
        }
    }
}
