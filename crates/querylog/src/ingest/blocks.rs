//! Cuts a stream of bytes into blocks of whole records.

use std::io::{self, Read};

use crate::format::{Format, Parser};
use crate::slow::{Block, Carry, LOOK_BACK};

/// A block with its own buffer, which is used again and again.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    /// Where the block ends; what is behind belongs to the next.
    length: usize,
    offset: u64,
    begins: bool,
    ends: bool,
    uncut: Option<u64>,
    limit: usize,
    pub(super) format: Format,
    /// What its first event inherits.
    pub(super) carry: Carry,
}

impl Buffer {
    pub(super) fn block(&self) -> Block<'_> {
        Block {
            text: self.bytes.get(..self.length).unwrap_or_default(),
            offset: self.offset,
            begins: self.begins,
            ends: self.ends,
            uncut: self.uncut,
            limit: self.limit,
        }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    fn refill(&mut self, bytes: &[u8]) {
        self.filled = 0;
        self.push(bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(room) = self.bytes.get_mut(self.filled..end) {
            room.copy_from_slice(bytes);
        }
        self.filled = end;
    }
}

/// The blocks of a log.
pub(super) struct Blocks<'r> {
    input: &'r mut (dyn Read + Send),
    chunk_bytes: usize,
    record_bytes: usize,
    /// Whether the next block's inheritance is looked up here; a single thread knows it anyway.
    carries: bool,
    carry: Carry,
    parser: Parser,
    format: Option<Format>,
    /// What was read and not handed out.
    tail: Vec<u8>,
    /// Where the tail begins in the log.
    offset: u64,
    begins: bool,
    ended: bool,
    /// What reading failed with, told after what came before it.
    failed: Option<io::Error>,
}

impl<'r> Blocks<'r> {
    pub(super) fn new(input: &'r mut (dyn Read + Send), settings: &crate::Settings, carries: bool) -> Self {
        Self {
            input,
            chunk_bytes: settings.chunk_bytes.max(1),
            record_bytes: settings.record_bytes.max(4 * LOOK_BACK),
            carries,
            carry: Carry::default(),
            parser: Parser::default(),
            format: settings.format,
            tail: Vec::new(),
            offset: 0,
            begins: false,
            ended: false,
            failed: None,
        }
    }

    /// How many bytes were handed out so far.
    pub(super) fn bytes(&self) -> u64 {
        self.offset
    }

    /// Fills a buffer with the next block; `false` at the end of the log.
    pub(super) fn next(&mut self, buffer: &mut Buffer) -> io::Result<bool> {
        buffer.refill(&self.tail);
        self.tail.clear();
        (buffer.uncut, buffer.limit, buffer.begins) = (None, self.record_bytes, self.begins);
        loop {
            let searched = buffer.filled.saturating_sub(4 * LOOK_BACK);
            let full = self.read(buffer);
            self.format = self.format.or_else(|| Format::detect(buffer.text()));
            let format = self.format.unwrap_or_default();
            buffer.format = format;
            if !full {
                self.ended = true;
                if buffer.filled == 0 {
                    return self.failed.take().map_or(Ok(false), Err);
                }
                self.hand_out(buffer, buffer.filled);
                return Ok(true);
            }
            if let Some(end) = format.last(buffer.text(), searched) {
                self.tail.extend_from_slice(buffer.text().get(end..).unwrap_or_default());
                self.hand_out(buffer, end);
                return Ok(true);
            }
            if buffer.filled > self.record_bytes + 2 * LOOK_BACK {
                self.skip(buffer, format);
                return Ok(true);
            }
        }
    }

    /// Reads a chunk; `false` when the log ended before it was full.
    fn read(&mut self, buffer: &mut Buffer) -> bool {
        let end = buffer.filled + self.chunk_bytes;
        if buffer.bytes.len() < end {
            buffer.bytes.resize(end, 0);
        }
        while buffer.filled < end && !self.ended {
            let Some(room) = buffer.bytes.get_mut(buffer.filled..end) else { break };
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => buffer.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => (self.ended, self.failed) = (true, Some(error)),
            }
        }
        !self.ended
    }

    fn hand_out(&mut self, buffer: &mut Buffer, length: usize) {
        (buffer.length, buffer.offset, buffer.ends) =
            (length, self.offset, self.ended && self.tail.is_empty());
        self.offset += buffer.uncut.unwrap_or(length as u64);
        self.begins = true;
        if self.carries {
            buffer.carry.clone_from(&self.carry);
            self.parser.carry_at_end(buffer.format, &buffer.block(), &mut self.carry);
        }
    }

    /// Reads on to the end of a record that is too large to be kept, and hands out its beginning.
    fn skip(&mut self, buffer: &mut Buffer, format: Format) {
        let mut read = buffer.filled as u64;
        let mut window = Buffer::default();
        window.refill(buffer.text().get(buffer.filled - 2 * LOOK_BACK..).unwrap_or_default());
        loop {
            let old = window.filled;
            let full = self.read(&mut window);
            read += (window.filled - old) as u64;
            let found = format
                .next(window.text(), LOOK_BACK)
                .filter(|place| !full || place + LOOK_BACK <= window.filled);
            let end = found.unwrap_or(window.filled);
            if found.is_some() || !full {
                buffer.uncut = Some(read - (window.filled - end) as u64);
                self.tail.extend_from_slice(window.text().get(end..).unwrap_or_default());
                self.hand_out(buffer, self.record_bytes);
                return;
            }
            let near = window.filled - 2 * LOOK_BACK;
            let near = window.text().get(near..).unwrap_or_default().to_vec();
            window.refill(&near);
        }
    }
}
