//! The lines that head a record: who, when, how long, and whatever else the server knows.

use std::collections::HashMap;

use super::boundary;
use super::lines::{Client, Clock, client, leading_number, leading_seconds, split_line, value, whole_number};
use crate::attribute::{Attribute, Kind, Unit};
use crate::event::Value;
use crate::problem::{Problem, Problems};
use crate::time::Time;

const ADMIN: &[u8] = b"# administrator command: ";
/// How many names of attributes are remembered.
const MOST_KNOWN: usize = 1024;

/// An attribute that is expected next, because it came next in the record before.
#[derive(Debug)]
struct Expected {
    /// With its colon and blank.
    name: Vec<u8>,
    attribute: Attribute,
    kind: Kind,
}

/// Reads heads, and remembers in which order the server writes attributes.
#[derive(Debug, Default)]
pub(super) struct Heads {
    layout: Vec<Expected>,
    known: HashMap<Vec<u8>, Option<(Attribute, Kind)>>,
    clock: Clock,
    pub(super) problems: Problems,
}

/// What the lines before the statement say.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) client: Client<'a>,
    pub(super) time: Option<Time>,
    pub(super) db: Option<&'a [u8]>,
    used: bool,
    set: bool,
    pub(super) timestamp: Option<i64>,
    pub(super) connection: Option<u64>,
    pub(super) admin: Option<&'a [u8]>,
    /// Which attributes were met, by place.
    met: u128,
    /// How many attributes were met.
    slot: usize,
}

/// Attributes of the record that is read.
pub(super) type Attributes<'a> = Vec<(Attribute, Value<'a>)>;

impl Heads {
    /// Reads the lines that head a record, and says where its statement begins.
    pub(super) fn read<'a>(
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
