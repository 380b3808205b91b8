//! Digests a log that is still being written, piece by piece as it comes.

use super::Hand;
use crate::digest::{Digest, File};
use crate::format::{Format, Parser};
use crate::problem::Problem;
use crate::select::Select;
use crate::settings::Settings;
use crate::slow::{Block, Carry, LOOK_BACK};

/// Takes pieces of a log and digests each record as soon as the next begins.
pub struct Feed<'s> {
    settings: &'s Settings,
    select: &'s dyn Select,
    hand: Hand<'s>,
    name: String,
    carry: Carry,
    format: Option<Format>,
    /// What was not digested yet: at most the beginning of a record and what is needed to find its end.
    pending: Vec<u8>,
    /// Bytes that were dropped from the middle of the record that is pending, because it is gigantic.
    dropped: u64,
    offset: u64,
    begins: bool,
}

impl std::fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("name", &self.name).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl<'s> Feed<'s> {
    /// Prepares to take a log. `offset` is where in the log the first piece begins.
    #[must_use]
    pub fn new(settings: &'s Settings, select: &'s dyn Select, name: &str, offset: u64) -> Self {
        Self {
            settings,
            select,
            hand: Hand::new(settings, select),
            name: name.to_owned(),
            carry: Carry::default(),
            format: settings.format,
            pending: Vec::new(),
            dropped: 0,
            offset,
            begins: false,
        }
    }

    /// Takes a piece.
    pub fn push(&mut self, piece: &[u8]) {
        let limit = self.settings.record_bytes.max(4 * LOOK_BACK);
        for part in piece.chunks(limit) {
            let searched = self.pending.len().saturating_sub(4 * LOOK_BACK);
            self.pending.extend_from_slice(part);
            self.format = self.format.or_else(|| Format::detect(&self.pending));
            let format = self.format.unwrap_or_default();
            if self.dropped > 0 {
                self.end_gigantic(format, limit, LOOK_BACK);
            } else if let Some(end) = format.last(&self.pending, searched) {
                self.parse(end, None, false);
            }
            if self.dropped > 0 || self.pending.len() > limit + 4 * LOOK_BACK {
                let near = self.pending.len().saturating_sub(2 * LOOK_BACK).max(limit);
                self.dropped += (near - limit) as u64;
                self.pending.drain(limit..near);
            }
        }
    }

    /// Looks for the end of a record whose middle was dropped, where so many bytes follow that it can be told.
    fn end_gigantic(&mut self, format: Format, limit: usize, ahead: usize) {
        let window = self.pending.get(limit..).unwrap_or_default();
        let found = format.next(window, LOOK_BACK).filter(|place| place + ahead <= window.len());
        if let Some(place) = found {
            self.parse(limit + place, Some((limit + place) as u64 + self.dropped), false);
        }
    }

    /// Digests what is pending up to a place.
    fn parse(&mut self, end: usize, uncut: Option<u64>, ends: bool) {
        let limit = self.settings.record_bytes.max(4 * LOOK_BACK);
        let shown = if uncut.is_some() { end.min(limit) } else { end };
        let block = Block {
            text: self.pending.get(..shown).unwrap_or_default(),
            offset: self.offset,
            begins: self.begins,
            ends,
            uncut,
            limit,
        };
        let Hand { worker, parser, .. } = &mut self.hand;
        let format = self.format.unwrap_or_default();
        parser.block(format, &block, &mut self.carry, &mut |event| worker.take(event, 0));
        self.offset += uncut.unwrap_or(end as u64);
        (self.begins, self.dropped) = (true, 0);
        self.pending.drain(..end);
    }

    /// Digests the last record where it looks whole: to be called when nothing has come for a while.
    pub fn settle(&mut self) {
        if self.dropped == 0 && self.pending.ends_with(b";\n") {
            self.parse(self.pending.len(), None, true);
        }
    }

    /// The log ended: it was rotated away or cut. What comes next is from its successor.
    pub fn end(&mut self) {
        if self.dropped > 0 {
            let limit = self.settings.record_bytes.max(4 * LOOK_BACK);
            self.end_gigantic(self.format.unwrap_or_default(), limit, 0);
        }
        if !self.pending.is_empty() {
            let uncut = (self.dropped > 0).then(|| self.pending.len() as u64 + self.dropped);
            self.parse(self.pending.len(), uncut, true);
        }
        (self.carry, self.format, self.offset, self.begins) =
            (Carry::default(), self.settings.format, 0, false);
    }

    /// Notes what a source found out.
    pub fn note(&mut self, problem: Problem) {
        self.hand.worker.digest.problems.note(problem, 0);
    }

    /// The digest of everything since this was last called.
    pub fn take(&mut self) -> Digest {
        let fresh = Hand::new(self.settings, self.select);
        let Hand { worker, parser, .. } = std::mem::replace(&mut self.hand, fresh);
        let mut digest = worker.digest;
        digest.problems.merge(&parser.problems());
        let log_bytes = digest.event_bytes + digest.problems.skipped_bytes();
        digest.files.push(File { name: self.name.clone(), bytes: log_bytes, log_bytes, error: None });
        self.hand.parser = Parser::default();
        digest
    }
}
