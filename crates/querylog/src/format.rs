//! Which kind of log it is.

use crate::event::Event;
use crate::problem::Problems;
use crate::slow::{self, Block, Carry};

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
}

impl Format {
    /// Tells the kind by the beginning of a log.
    #[must_use]
    pub fn detect(_text: &[u8]) -> Self {
        Self::Slow
    }

    /// The first record that begins at a place or after it.
    pub(crate) fn next(self, text: &[u8], from: usize) -> Option<usize> {
        slow::next(text, from)
    }

    /// The last record that begins after a place.
    pub(crate) fn last(self, text: &[u8], after: usize) -> Option<usize> {
        slow::last(text, after)
    }
}

impl Parser {
    pub(crate) fn block(
        &mut self,
        _format: Format,
        block: &Block<'_>,
        carry: &mut Carry,
        take: &mut dyn FnMut(&Event<'_>),
    ) {
        self.slow.block(block, carry, take);
    }

    pub(crate) fn carry_at_end(&mut self, _format: Format, block: &Block<'_>, carry: &mut Carry) {
        self.slow.carry_at_end(block, carry);
    }

    pub(crate) fn problems(&self) -> &Problems {
        &self.slow.problems
    }
}
