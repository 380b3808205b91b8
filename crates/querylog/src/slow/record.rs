//! One record: the lines that head it, and a statement.

use std::collections::HashMap;

use super::boundary;
use super::lines::{Client, Clock, client, leading_number, leading_seconds, split_line, value, whole_number};
use crate::attribute::{Attribute, Kind, Unit};
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

/// An attribute that is expected next, because it came next in the record before.
#[derive(Debug)]
struct Expected {
    /// With its colon and blank.
    name: Vec<u8>,
    attribute: Attribute,
    kind: Kind,
}

/// Parses records, and remembers in which order the server writes attributes.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    layout: Vec<Expected>,
    known: HashMap<Vec<u8>, Option<(Attribute, Kind)>>,
    clock: Clock,
    pub(crate) problems: Problems,
}

/// How a statement that is not there is written, as pt-query-digest has it.
const NO_QUERY: &[u8] = b"/* No query */";
const ADMIN: &[u8] = b"# administrator command: ";
/// How many names of attributes are remembered.
const MOST_KNOWN: usize = 1024;

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

/// What the lines before the statement say.
#[derive(Debug, Default)]
struct Head<'a> {
    client: Client<'a>,
    time: Option<Time>,
    db: Option<&'a [u8]>,
    used: bool,
    set: bool,
    timestamp: Option<i64>,
    connection: Option<u64>,
    admin: Option<&'a [u8]>,
    /// Which attributes were met, by place.
    met: u128,
    /// How many attributes were met.
    slot: usize,
}

/// Attributes of the record that is read.
type Attributes<'a> = Vec<(Attribute, Value<'a>)>;

impl Parser {
    /// Parses all records of a block. `carry` is what its first event inherits; afterwards, what the next block's first does.
    pub(crate) fn block(&mut self, block: &Block<'_>, carry: &mut Carry, take: &mut dyn FnMut(&Event<'_>)) {
        let start = carry.clone();
        let text = block.text;
        let (mut db, mut time) = (&start.db[..], start.time);
        let mut attributes = Vec::with_capacity(32);
        let mut place = if block.begins { 0 } else { boundary::next(text, 0).unwrap_or(text.len()) };
        match block.uncut {
            Some(uncut) if place == text.len() => self.problems.note(Problem::OutsideEvents, uncut),
            _ => self.outside(text.get(..place).unwrap_or_default()),
        }
        while place < text.len() {
            attributes.clear();
            let (head, at) = self.head(text, place, &mut attributes);
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
            let (head, _) = self.head(text, start, &mut attributes);
            db = db.or(head.db);
            time = time.or(head.time);
            end = start;
        }
        if let Some(db) = db {
            carry.db = db.to_vec();
        }
        carry.time = time.or(carry.time);
    }

    /// Reads the lines that head a record, and says where its statement begins.
    fn head<'a>(
        &mut self,
        text: &'a [u8],
        start: usize,
        attributes: &mut Attributes<'a>,
    ) -> (Head<'a>, usize) {
        let mut head = Head::default();
        let mut at = start;
        while let Some(first) = text.get(at) {
            let rest = text.get(at..).unwrap_or_default();
            let (line, _) = split_line(rest);
            match first {
                b'#' if at != start && boundary::is_start(text, at) => break,
                b'#' if line.starts_with(ADMIN) => {
                    head.admin = line.get(2..);
                    return (head, (at + line.len() + 1).min(text.len()));
                }
                b'#' => self.head_line(line, &mut head, attributes),
                b'u' if !head.used && !head.set && line.starts_with(b"use ") => {
                    let name = line.get(4..).unwrap_or_default();
                    let end = memchr::memchr(b';', name).unwrap_or(name.len());
                    let name = name.get(..end).unwrap_or_default();
                    head.db = Some(
                        name.strip_prefix(b"`").and_then(|name| name.strip_suffix(b"`")).unwrap_or(name),
                    );
                    head.used = true;
                }
                b'S' if !head.set && settings(line).is_some() => {
                    head.timestamp = settings(line).and_then(timestamp);
                    head.set = true;
                }
                // Percona Server 8 can leave the sign out of this line (PMM-7137).
                b' ' if line.trim_ascii_start().starts_with(b"Tmp_tables: ") => {
                    self.attributes(line, &mut head, attributes);
                }
                _ => return (head, at),
            }
            at = (at + line.len() + 1).min(text.len());
        }
        (head, at)
    }

    fn head_line<'a>(&mut self, line: &'a [u8], head: &mut Head<'a>, attributes: &mut Attributes<'a>) {
        if let Some(moment) = line.strip_prefix(b"# Time: ") {
            head.time = self.clock.read(moment);
            if head.time.is_none() {
                self.problems.note(Problem::BadValue, 0);
            }
        } else if let Some(who) = line.strip_prefix(b"# User@Host: ") {
            match client(who) {
                Some(client) => head.client = client,
                None => self.problems.note(Problem::BadValue, 0),
            }
        } else if let Some(rest) = line.strip_prefix(b"# ") {
            self.attributes(rest, head, attributes);
        }
    }

    /// Reads `Name: value` pairs.
    fn attributes<'a>(&mut self, line: &'a [u8], head: &mut Head<'a>, attributes: &mut Attributes<'a>) {
        let mut rest = line.trim_ascii_start();
        // Plans (`# explain: …`) and comments begin with a small letter.
        if !rest.first().is_some_and(u8::is_ascii_uppercase) {
            return;
        }
        while !rest.is_empty() {
            if let Some(length) = self.expected_number(rest, head, attributes) {
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            let expected = self.layout.get(head.slot).filter(|expected| rest.starts_with(&expected.name));
            let (found, length) = match expected {
                Some(expected) => (Some((expected.attribute, expected.kind)), expected.name.len()),
                None => match self.name(rest, head.slot) {
                    Ok(found) => found,
                    Err(skip) => {
                        rest = rest.get(skip..).unwrap_or_default().trim_ascii_start();
                        continue;
                    }
                },
            };
            head.slot += 1;
            let after = rest.get(length..).unwrap_or_default().trim_ascii_start();
            let end = after.iter().position(u8::is_ascii_whitespace).unwrap_or(after.len());
            let (mut text, mut next) = after.split_at_checked(end).unwrap_or((after, b""));
            if text.last() == Some(&b':') && !next.is_empty() {
                // No value: this is the next name.
                (text, next) = (b"", after);
            }
            rest = next.trim_ascii_start();
            if let Some((attribute, kind)) = found {
                self.attribute((attribute, kind), text, head, attributes);
            }
        }
    }

    /// Takes a number by the name that is expected, and says how long both are with the blanks after them.
    ///
    /// It is what [`Self::attributes`] does, without looking twice; what is not quite so is left to that.
    fn expected_number<'a>(
        &self,
        rest: &'a [u8],
        head: &mut Head<'a>,
        attributes: &mut Attributes<'a>,
    ) -> Option<usize> {
        let Expected { name, attribute, kind: Kind::Number(unit) } = self.layout.get(head.slot)? else {
            return None;
        };
        let after = rest.strip_prefix(&name[..])?.strip_prefix(b" ")?;
        let (number, length) = match unit {
            Unit::Microseconds => leading_seconds(after)?,
            Unit::Count => leading_number(after)?,
        };
        let blanks = match after.get(length..)? {
            [] => 0,
            [b' ', b' ', next, ..] if *next != b' ' => 2,
            [b' ', next, ..] if *next != b' ' => 1,
            _ => return None,
        };
        let bit = 1_u128.checked_shl(attribute.place() as u32)?;
        if head.met & bit != 0 {
            return None;
        }
        head.met |= bit;
        head.slot += 1;
        attributes.push((*attribute, Value::Number(number, *unit)));
        Some(name.len() + 1 + length + blanks)
    }

    fn attribute<'a>(
        &mut self,
        (attribute, kind): (Attribute, Kind),
        text: &'a [u8],
        head: &mut Head<'a>,
        attributes: &mut Attributes<'a>,
    ) {
        match kind {
            Kind::Ignored => head.connection = whole_number(text).or(head.connection),
            _ if attribute == Attribute::SCHEMA => head.db = head.db.filter(|_| head.used).or(Some(text)),
            _ if text.is_empty() => {}
            _ => {
                let Some(value) = value(attribute, kind, text) else {
                    self.problems.note(Problem::BadValue, 0);
                    return;
                };
                let bit = 1_u128.checked_shl(attribute.place() as u32).unwrap_or(0);
                if head.met & bit != 0 {
                    // Of several values the last counts.
                    attributes.retain(|(found, _)| *found != attribute);
                }
                head.met |= bit;
                attributes.push((attribute, value));
            }
        }
    }

    /// The attribute whose name a text begins with, and the length of the name and its colon; how much to skip where it is none.
    fn name(&mut self, rest: &[u8], slot: usize) -> Result<(Option<(Attribute, Kind)>, usize), usize> {
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if length == 0 || rest.get(length) != Some(&b':') {
            let blank = rest.iter().position(u8::is_ascii_whitespace);
            return Err(blank.unwrap_or(rest.len()).max(1));
        }
        let name = rest.get(..=length).unwrap_or_default();
        let found = match self.known.get(name) {
            Some(found) => *found,
            None => {
                let text = std::str::from_utf8(rest.get(..length).unwrap_or_default()).ok();
                let found = text.and_then(Attribute::of).map(|attribute| (attribute, attribute.kind()));
                if found.is_none() {
                    self.problems.note(Problem::BadValue, 0);
                }
                if self.known.len() < MOST_KNOWN {
                    self.known.insert(name.to_vec(), found);
                }
                found
            }
        };
        if let Some((attribute, kind)) = found {
            let expected = Expected { name: name.to_vec(), attribute, kind };
            let end = self.layout.len();
            match self.layout.get_mut(slot) {
                Some(place) => *place = expected,
                None if slot == end && slot < MOST_KNOWN => self.layout.push(expected),
                None => {}
            }
        }
        Ok((found, length + 1))
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
            self.problems.note(Problem::Oversized, 0);
            let length = uncut - (record.at - record.start) as u64;
            return Some(Statement { query: rest, length: length.saturating_sub(2), record_bytes: uncut });
        }
        let (rest, header) = server_headers(rest);
        if header > 0 {
            self.problems.note(Problem::ServerHeader, header as u64);
        }
        let record_bytes = (record.end - record.start - header) as u64;
        if let Some(command) = head.admin {
            return Some(self.admin(command, rest, record_bytes, attributes));
        }
        let whole = rest.strip_suffix(b";\n").or_else(|| rest.strip_suffix(b";").filter(|_| record.is_last));
        let query = match whole {
            Some(query) => query,
            None if record.is_last && header == 0 => {
                self.problems.note(Problem::TornEnd, record_bytes);
                return None;
            }
            None => {
                let query = rest.strip_suffix(b"\n").unwrap_or(rest);
                if !query.is_empty() {
                    self.problems.note(Problem::Unterminated, 0);
                }
                query
            }
        };
        if !query.is_empty() {
            return Some(Statement { query, length: query.len() as u64, record_bytes });
        }
        let is_event = attributes.iter().any(|(attribute, _)| *attribute == Attribute::QUERY_TIME);
        self.problems.note(Problem::NoStatement, if is_event { 0 } else { record_bytes });
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
            self.problems.note(Problem::OutsideEvents, rest.len() as u64);
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
            self.problems.note(Problem::ServerHeader, header as u64);
        }
        if !rest.is_empty() {
            self.problems.note(Problem::OutsideEvents, rest.len() as u64);
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

/// What a line `SET …;` before a statement sets, if it is one that servers write there.
fn settings(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"SET ")?;
    let ours =
        [&b"timestamp="[..], b"last_insert_id=", b"insert_id="].iter().any(|name| rest.starts_with(name));
    ours.then(|| rest.strip_suffix(b";").unwrap_or(rest))
}

fn timestamp(settings: &[u8]) -> Option<i64> {
    let stamp =
        settings.split(|byte| *byte == b',').find_map(|setting| setting.strip_prefix(b"timestamp="))?;
    // MariaDB can write a fraction.
    let seconds = stamp.split(|byte| *byte == b'.').next()?;
    i64::try_from(whole_number(seconds)?).ok()
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
