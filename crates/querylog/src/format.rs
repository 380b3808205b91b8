//! Which kind of log it is.

use crate::event::Event;
use crate::slow::{self, Block, Carry};
use crate::{Problems, general};

/// Kinds of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The log of slow queries.
    #[default]
    Slow,
    /// The general log: every statement, without its time.
    General,
}

/// Parsers of all kinds of logs.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    slow: slow::Parser,
    general: general::Parser,
}

impl Format {
    /// Tells the kind by the first record of a log, if there is one yet.
    #[must_use]
    pub fn detect(text: &[u8]) -> Option<Self> {
        match (slow::next(text, 0), general::next(text, 0)) {
            (None, None) => None,
            (None, Some(_)) => Some(Self::General),
            (Some(slow), Some(general)) if general < slow => Some(Self::General),
            _ => Some(Self::Slow),
        }
    }

    /// The first record that begins at a place or after it.
    pub(crate) fn next(self, text: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Slow => slow::next(text, from),
            Self::General => general::next(text, from),
        }
    }

    /// The last record that begins after a place.
    pub(crate) fn last(self, text: &[u8], after: usize) -> Option<usize> {
        match self {
            Self::Slow => slow::last(text, after),
            Self::General => general::last(text, after),
        }
    }
}

impl Parser {
    pub(crate) fn block(
        &mut self,
        format: Format,
        block: &Block<'_>,
        carry: &mut Carry,
        take: &mut dyn FnMut(&Event<'_>),
    ) {
        match format {
            Format::Slow => self.slow.block(block, carry, take),
            Format::General => self.general.block(block, carry, take),
        }
    }

    /// What the next block inherits. A general log is read by one thread, which knows.
    pub(crate) fn carry_at_end(&mut self, format: Format, block: &Block<'_>, carry: &mut Carry) {
        if format == Format::Slow {
            self.slow.carry_at_end(block, carry);
        }
    }

    /// What was met so far.
    pub(crate) fn problems(&self) -> Problems {
        let mut all = self.slow.problems().clone();
        all.merge(&self.general.problems);
        all
    }
}
