//! One record: the lines that head it, and a statement.

use super::boundary;
use super::head::{Attributes, Head, Heads};
use crate::attribute::{Attribute, Unit};
use crate::event::{Command, Event, Value};
use crate::problem::{Problem, Problems};
use crate::time::Time;

/// What events inherit from those before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Carry {
    /// The default schema; empty where none was said.
    pub(crate) db: Vec<u8>,
    /// When the last event was logged.
    pub(crate) time: Option<Time>,
}

/// Parses records.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    heads: Heads,
}

/// How a statement that is not there is written, as pt-query-digest has it.
const NO_QUERY: &[u8] = b"/* No query */";

/// A block of a log: whole records, but for what is said here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) text: &'a [u8],
    /// Where it begins in the log.
    pub(crate) offset: u64,
    /// Whether it begins with a record; the first of a log may begin with anything.
    pub(crate) begins: bool,
    /// Whether the log ends with it.
    pub(crate) ends: bool,
    /// The length of its last record, where it has only the beginning of it.
    pub(crate) uncut: Option<u64>,
    /// Of records longer than this, only this much is looked at.
    pub(crate) limit: usize,
}

impl Parser {
    /// What was met so far.
    pub(crate) fn problems(&self) -> &Problems {
        &self.heads.problems
    }

    fn note(&mut self, problem: Problem, bytes: u64) {
        self.heads.problems.note(problem, bytes);
    }

    /// Parses all records of a block. `carry` is what its first event inherits; afterwards, what the next block's first does.
    pub(crate) fn block(&mut self, block: &Block<'_>, carry: &mut Carry, take: &mut dyn FnMut(&Event<'_>)) {
        let start = carry.clone();
        let text = block.text;
        let (mut db, mut time) = (&start.db[..], start.time);
        let mut attributes = Vec::with_capacity(32);
        let mut place = if block.begins { 0 } else { boundary::next(text, 0).unwrap_or(text.len()) };
        match block.uncut {
            Some(uncut) if place == text.len() => self.note(Problem::OutsideEvents, uncut),
            _ => self.outside(text.get(..place).unwrap_or_default()),
        }
        while place < text.len() {
            attributes.clear();
            let (head, at) = self.heads.read(text, place, &mut attributes);
            let end = boundary::next(text, at.max(place + 1)).unwrap_or(text.len());
            db = head.db.unwrap_or(db);
            time = head.time.or(time);
            let whole = block.uncut.filter(|_| end == text.len());
            let uncut = whole.or((end - place > block.limit).then_some((end - place) as u64));
            let is_last = end == text.len() && block.ends;
            let seen = if uncut.is_some() { end.min(place + block.limit) } else { end };
            let record = Record { start: place, at: at.min(seen), end: seen, is_last, uncut };
            if let Some(found) = self.statement(text, &record, &head, &mut attributes) {
                take(&Event {
                    command: if head.admin.is_some() { Command::Admin } else { Command::Query },
                    query: found.query,
                    query_length: found.length,
                    record_bytes: found.record_bytes,
                    user: head.client.user,
                    host: head.client.host,
                    ip: head.client.ip,
                    db,
                    time,
                    timestamp: head.timestamp,
                    connection: head.client.connection.or(head.connection),
                    offset: block.offset + place as u64,
                    attributes: &attributes,
                });
            }
            place = end;
        }
        *carry = Carry { db: db.to_vec(), time };
    }

    /// What the last record of a text carries over, or the one before it where it does not say, and so on.
    pub(crate) fn carry_at_end(&mut self, block: &Block<'_>, carry: &mut Carry) {
        let (mut end, mut db, mut time) = (block.text.len(), None, None);
        let mut attributes = Vec::new();
        while end > 0 && (db.is_none() || time.is_none()) {
            let text = block.text.get(..end).unwrap_or_default();
            let start = boundary::last_before(text, block.begins);
            let Some(start) = start else { break };
            attributes.clear();
            let (head, _) = self.heads.read(text, start, &mut attributes);
            db = db.or(head.db);
            time = time.or(head.time);
            end = start;
        }
        if let Some(db) = db {
            carry.db = db.to_vec();
        }
        carry.time = time.or(carry.time);
    }

    /// The statement of a record; `None` where there is nothing to count.
    fn statement<'a>(
        &mut self,
        text: &'a [u8],
        record: &Record,
        head: &Head<'a>,
        attributes: &mut Attributes<'a>,
    ) -> Option<Statement<'a>> {
        let rest = text.get(record.at..record.end).unwrap_or_default();
        if let Some(uncut) = record.uncut {
            self.note(Problem::Oversized, 0);
            let length = uncut - (record.at - record.start) as u64;
            return Some(Statement { query: rest, length: length.saturating_sub(2), record_bytes: uncut });
        }
        let (rest, header) = server_headers(rest);
        if header > 0 {
            self.note(Problem::ServerHeader, header as u64);
        }
        let record_bytes = (record.end - record.start - header) as u64;
        if let Some(command) = head.admin {
            return Some(self.admin(command, rest, record_bytes, attributes));
        }
        let whole = rest.strip_suffix(b";\n").or_else(|| rest.strip_suffix(b";").filter(|_| record.is_last));
        let query = match whole {
            Some(query) => query,
            None if record.is_last && header == 0 => {
                self.note(Problem::TornEnd, record_bytes);
                return None;
            }
            None => {
                let query = rest.strip_suffix(b"\n").unwrap_or(rest);
                if !query.is_empty() {
                    self.note(Problem::Unterminated, 0);
                }
                query
            }
        };
        if !query.is_empty() {
            return Some(Statement { query, length: query.len() as u64, record_bytes });
        }
        let is_event = attributes.iter().any(|(attribute, _)| *attribute == Attribute::QUERY_TIME);
        self.note(Problem::NoStatement, if is_event { 0 } else { record_bytes });
        is_event.then_some(Statement { query: NO_QUERY, length: 0, record_bytes })
    }

    /// A command of the protocol. It touches no rows, whatever the log says.
    fn admin<'a>(
        &mut self,
        command: &'a [u8],
        rest: &[u8],
        record_bytes: u64,
        attributes: &mut Attributes<'a>,
    ) -> Statement<'a> {
        if !rest.is_empty() {
            self.note(Problem::OutsideEvents, rest.len() as u64);
        }
        let rows = [Attribute::ROWS_SENT, Attribute::ROWS_EXAMINED, Attribute::ROWS_AFFECTED];
        for (_, value) in attributes.iter_mut().filter(|(attribute, _)| rows.contains(attribute)) {
            *value = Value::Number(0, Unit::Count);
        }
        let query = command.strip_suffix(b";").unwrap_or(command);
        Statement { query, length: query.len() as u64, record_bytes: record_bytes - rest.len() as u64 }
    }

    /// Notes text that belongs to no record.
    fn outside(&mut self, text: &[u8]) {
        let (rest, header) = server_headers(text);
        if header > 0 {
            self.note(Problem::ServerHeader, header as u64);
        }
        if !rest.is_empty() {
            self.note(Problem::OutsideEvents, rest.len() as u64);
        }
    }
}

/// Where a record and its statement are in the block.
#[derive(Debug, Clone, Copy)]
struct Record {
    start: usize,
    /// Where the statement begins.
    at: usize,
    end: usize,
    /// Whether the log ends with it.
    is_last: bool,
    uncut: Option<u64>,
}

/// A statement that was found.
#[derive(Debug, Clone, Copy)]
struct Statement<'a> {
    query: &'a [u8],
    /// How long it is in the log.
    length: u64,
    /// How long its record is, without what belongs to no event.
    record_bytes: u64,
}

/// Splits off what servers write when they open a log, from the end of a text; says how long it is.
///
/// Three lines: `/usr/sbin/mysqld, Version: … started with:`, `Tcp port: …` and `Time  Id Command  Argument`.
pub(crate) fn server_headers(text: &[u8]) -> (&[u8], usize) {
    let mut rest = text;
    if rest.ends_with(b";\n") || !rest.ends_with(b"\n") {
        return (rest, 0);
    }
    loop {
        let (before, columns) = last_line(rest);
        let (before, port) = last_line(before);
        let (before, version) = last_line(before);
        let is_columns = columns.starts_with(b"Time") && columns.windows(7).any(|word| word == b"Command");
        let is_port = port.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"Tcp port:"));
        if !is_columns || !is_port || !version.windows(11).any(|word| word == b", Version: ") {
            return (rest, text.len() - rest.len());
        }
        rest = before;
    }
}

/// The text before its last line, and the line without its line feed.
fn last_line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(inside) = text.strip_suffix(b"\n") else { return (text, b"") };
    let start = memchr::memrchr(b'\n', inside).map_or(0, |end| end + 1);
    (text.get(..start).unwrap_or_default(), inside.get(start..).unwrap_or_default())
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
