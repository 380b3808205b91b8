//! What of a log was not digested, and why: counted, never silent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why bytes or parts of events were not digested as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Lines that a server writes when it opens the log. Nothing is lost.
    ServerHeader,
    /// Text before the first event of a file, or between events, which belongs to none.
    OutsideEvents,
    /// An event without a statement, as a server leaves behind that dies while it writes.
    NoStatement,
    /// A statement without its end, which the server did not live to write. What there is of it counts.
    Unterminated,
    /// A record larger than is kept in memory: its text was cut, its numbers counted.
    Oversized,
    /// A value that is not what its name promises, or more names than are taken.
    BadValue,
    /// The log ended inside an event, which may still be written.
    TornEnd,
    /// A compressed file is damaged or ends early: what was before the damage counts.
    DamagedCompression,
    /// The log grew while it was read: what came after the size at the start was left out.
    Grew,
    /// Bytes of files that could not be read.
    Unreadable,
}

impl Problem {
    /// What it is, in words that follow a count.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ServerHeader => "server headers skipped (nothing is lost)",
            Self::OutsideEvents => "pieces of text outside of events skipped",
            Self::NoStatement => "events without a statement skipped",
            Self::Unterminated => "statements cut off by what follows them (counted as they stand)",
            Self::Oversized => "gigantic statements cut before they were fingerprinted",
            Self::BadValue => "values not understood",
            Self::TornEnd => "events cut off by the end of the log",
            Self::DamagedCompression => "compressed files damaged or cut short",
            Self::Grew => "logs that grew while they were read (what came later is not in here)",
            Self::Unreadable => "reads that failed",
        }
    }
}

/// How often a problem was met, and how many bytes of the log are not part of any event because of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How often.
    pub times: u64,
    /// Bytes.
    pub bytes: u64,
}

/// All problems of a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems(BTreeMap<Problem, Extent>);

impl Problems {
    pub(crate) fn note(&mut self, problem: Problem, bytes: u64) {
        let extent = self.0.entry(problem).or_default();
        extent.times += 1;
        extent.bytes += bytes;
    }

    /// Takes all of another.
    pub fn merge(&mut self, other: &Self) {
        for (problem, extent) in &other.0 {
            let sum = self.0.entry(*problem).or_default();
            sum.times = sum.times.saturating_add(extent.times);
            sum.bytes = sum.bytes.saturating_add(extent.bytes);
        }
    }

    /// What was met.
    pub fn iter(&self) -> impl Iterator<Item = (Problem, Extent)> + '_ {
        self.0.iter().map(|(problem, extent)| (*problem, *extent))
    }

    /// How far a problem went.
    #[must_use]
    pub fn of(&self, problem: Problem) -> Extent {
        self.0.get(&problem).copied().unwrap_or_default()
    }

    /// Bytes of the log that are in no event.
    #[must_use]
    pub fn skipped_bytes(&self) -> u64 {
        self.0.values().fold(0_u64, |sum, extent| sum.saturating_add(extent.bytes))
    }
}
