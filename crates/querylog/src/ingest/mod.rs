//! Reads logs with several threads, into one digest.
//!
//! Threads take turns at reading: one fills its buffer with the next block of whole records and looks up what the block after
//! it inherits (the default schema, the time); then it parses its block while the next one reads. So the result is the same
//! for any number of threads and any size of blocks.

mod blocks;
mod feed;
mod worker;

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use crate::digest::{Digest, File};
use crate::format::{Format, Parser};
use crate::problem::Problem;
use crate::select::Select;
use crate::settings::Settings;
use crate::slow::Carry;
use blocks::{Blocks, Buffer};
use worker::Worker;

pub use feed::Feed;

/// Digests logs, one after the other.
pub struct Ingest<'s> {
    settings: &'s Settings,
    workers: Vec<Hand<'s>>,
    files: Vec<File>,
    problems: crate::Problems,
}

/// A thread's own things, which it keeps from log to log.
struct Hand<'s> {
    worker: Worker<'s>,
    parser: Parser,
    buffer: Buffer,
}

impl std::fmt::Debug for Ingest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest")
            .field("settings", self.settings)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl<'s> Ingest<'s> {
    /// Prepares to digest events that are selected.
    #[must_use]
    pub fn new(settings: &'s Settings, select: &'s dyn Select) -> Self {
        let workers = (0..settings.threads.max(1)).map(|_| Hand::new(settings, select)).collect();
        Self { settings, workers, files: Vec::new(), problems: crate::Problems::default() }
    }

    /// Digests a log to its end. Where reading fails, what came before counts, and the file says so.
    pub fn log(&mut self, name: &str, input: &mut (dyn Read + Send)) {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let mut blocks = Blocks::new(input, self.settings, self.workers.len() > 1);
        let error = match &mut self.workers[..] {
            [hand] => hand.alone(&mut blocks, file),
            hands => {
                let shared = Mutex::new(&mut blocks);
                let shared = &shared;
                std::thread::scope(|scope| {
                    let threads =
                        hands.iter_mut().map(|hand| scope.spawn(move || hand.together(shared, file)));
                    let threads: Vec<_> = threads.collect();
                    threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).next()
                })
            }
        };
        let log_bytes = blocks.bytes();
        let error = error.map(|error| error.to_string());
        self.files.push(File { name: name.to_owned(), bytes: log_bytes, log_bytes, error });
    }

    /// Says how large the last log is where it lies, if that is known, and whether it is packed there.
    pub(crate) fn last_file_is(&mut self, bytes: Option<u64>, is_packed: bool) {
        let Some(file) = self.files.last_mut() else { return };
        file.bytes = bytes.unwrap_or(file.log_bytes);
        if file.error.is_some() {
            let problem = if is_packed { Problem::DamagedCompression } else { Problem::Unreadable };
            self.problems.note(problem, 0);
        }
    }

    /// Notes what a source found out about a log.
    pub fn note(&mut self, problem: Problem) {
        self.problems.note(problem, 0);
    }

    /// Everything so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut whole =
            Digest { files: self.files.clone(), problems: self.problems.clone(), ..Digest::default() };
        for hand in &self.workers {
            whole.merge_part(&hand.worker.digest, 0);
            whole.problems.merge(&hand.parser.problems());
        }
        whole
    }

    /// Everything.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        let mut whole = Digest { files: self.files, problems: self.problems, ..Digest::default() };
        for (number, hand) in self.workers.drain(..).enumerate() {
            whole.problems.merge(&hand.parser.problems());
            if number == 0 {
                let Digest { events, unselected, event_bytes, classes, index, .. } = hand.worker.digest;
                whole = Digest { events, unselected, event_bytes, classes, index, ..whole };
            } else {
                whole.merge_part(&hand.worker.digest, 0);
            }
        }
        whole
    }
}

impl<'s> Hand<'s> {
    fn new(settings: &'s Settings, select: &'s dyn Select) -> Self {
        let worker = Worker::new(settings, select);
        Self { worker, parser: Parser::default(), buffer: Buffer::default() }
    }

    fn alone(&mut self, blocks: &mut Blocks<'_>, file: u32) -> Option<std::io::Error> {
        let mut carry = Carry::default();
        loop {
            match blocks.next(&mut self.buffer) {
                Ok(true) => self.parse(file, &mut carry),
                Ok(false) => return None,
                Err(error) => return Some(error),
            }
        }
    }

    fn together(&mut self, blocks: &Mutex<&mut Blocks<'_>>, file: u32) -> Option<std::io::Error> {
        let mut carry = Carry::default();
        loop {
            let mut turn = blocks.lock().unwrap_or_else(PoisonError::into_inner);
            match turn.next(&mut self.buffer) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(error),
            }
            if self.buffer.format == Format::Slow {
                drop(turn);
                carry = std::mem::take(&mut self.buffer.carry);
                self.parse(file, &mut carry);
            } else {
                // No other thread gets a turn: what a block inherits is not known before the one before it is parsed.
                self.parse(file, &mut carry);
                drop(turn);
            }
        }
    }

    fn parse(&mut self, file: u32, carry: &mut Carry) {
        let Self { worker, parser, buffer } = self;
        parser.block(buffer.format, &buffer.block(), carry, &mut |event| worker.take(event, file));
    }
}

#[cfg(test)]
mod tests;
