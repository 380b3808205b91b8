//! The general log of MySQL and MariaDB: every statement as it arrives, without times and rows.
//!
//! Which schema a statement runs in is known from the connection's own earlier lines only, so one thread reads a whole log.

use std::collections::HashMap;

use crate::event::{Command, Event};
use crate::problem::{Problem, Problems};
use crate::slow::{Block, Carry, Clock, server_headers};
use crate::time::Time;

/// The longest moment and command that a line begins with, in bytes.
const LOOK_AHEAD: usize = 128;
/// Of more connections than these at once the schema is not remembered.
const MOST_CONNECTIONS: usize = 100_000;

/// How a line begins: `2024-03-01T10:00:03.123456Z⇥   12 Query⇥SELECT 1`, or with two tabs where the second is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start<'a> {
    moment: &'a [u8],
    connection: u64,
    command: &'a [u8],
    /// How long all that is, in bytes.
    length: usize,
}

fn start(line: &[u8]) -> Option<Start<'_>> {
    let near = line.get(..line.len().min(LOOK_AHEAD))?;
    let tab = match near.first()? {
        b'\t' => 0,
        byte if byte.is_ascii_digit() => memchr::memchr(b'\t', near)?,
        _ => return None,
    };
    let (moment, rest) = near.split_at_checked(tab)?;
    let looks = |byte: &u8| byte.is_ascii_digit() || b" -:T.Z+".contains(byte);
    let rest_trimmed = rest.trim_ascii_start();
    let digits = rest_trimmed.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest_trimmed.split_at_checked(digits)?;
    let connection = std::str::from_utf8(number).ok()?.parse().ok()?;
    let after = after.strip_prefix(b" ")?;
    let end = after.iter().position(|byte| matches!(byte, b'\t' | b'\n'))?;
    let command = after.get(..end)?;
    let is_command = command.first()?.is_ascii_uppercase()
        && (3..=20).contains(&command.len())
        && command.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ');
    let length = near.len() - after.len() + end;
    (is_command && moment.iter().all(looks) && (tab == 0 || tab >= 14)).then_some(Start {
        moment,
        connection,
        command,
        length,
    })
}

/// The first event that begins at a place or after it.
pub(crate) fn next(text: &[u8], from: usize) -> Option<usize> {
    if from == 0 && start(text).is_some() {
        return Some(0);
    }
    let from = from.saturating_sub(1);
    let lines = memchr::memchr_iter(b'\n', text.get(from..)?).map(|end| from + end + 1);
    lines.into_iter().find(|place| text.get(*place..).and_then(start).is_some())
}

/// The last event that begins after a place, if the text is long enough to tell.
pub(crate) fn last(text: &[u8], after: usize) -> Option<usize> {
    let known = text.len().checked_sub(LOOK_AHEAD)?;
    let lines = memchr::memrchr_iter(b'\n', text.get(after..known.max(after))?).map(|end| after + end + 1);
    lines.into_iter().find(|place| *place > after && text.get(*place..).and_then(start).is_some())
}

/// Parses general logs.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    clock: Clock,
    databases: HashMap<u64, Vec<u8>>,
    pub(crate) problems: Problems,
}

impl Parser {
    /// Parses all events of a block.
    pub(crate) fn block(&mut self, block: &Block<'_>, carry: &mut Carry, take: &mut dyn FnMut(&Event<'_>)) {
        let text = block.text;
        if !block.begins {
            self.databases.clear();
        }
        let mut place = if block.begins { 0 } else { next(text, 0).unwrap_or(text.len()) };
        self.outside(text.get(..place).unwrap_or_default());
        while place < text.len() {
            let end = next(text, place + 1).unwrap_or(text.len());
            let rest = text.get(place..end).unwrap_or_default();
            let uncut = block.uncut.filter(|_| end == text.len());
            let uncut = uncut.or((rest.len() > block.limit).then_some(rest.len() as u64));
            let seen = if uncut.is_some() { rest.get(..block.limit).unwrap_or(rest) } else { rest };
            if uncut.is_some() {
                self.problems.note(Problem::Oversized, 0);
            }
            self.event(seen, uncut, block.offset + place as u64, &mut carry.time, take);
            place = end;
        }
    }

    fn event(
        &mut self,
        record: &[u8],
        uncut: Option<u64>,
        offset: u64,
        time: &mut Option<Time>,
        take: &mut dyn FnMut(&Event<'_>),
    ) {
        let (record, header) = if uncut.is_some() { (record, 0) } else { server_headers(record) };
        if header > 0 {
            self.problems.note(Problem::ServerHeader, header as u64);
        }
        let Some(start) = start(record) else {
            self.problems.note(Problem::OutsideEvents, record.len() as u64);
            return;
        };
        if !start.moment.is_empty() {
            *time = self.clock.read(start.moment).or(*time);
        }
        let argument = record.get(start.length..).unwrap_or_default();
        let argument = argument.strip_prefix(b"\t").unwrap_or(argument);
        let argument = argument.strip_suffix(b"\n").unwrap_or(argument);
        let mut event = Event {
            command: Command::Query,
            query: argument,
            query_length: argument.len() as u64,
            user: b"",
            host: b"",
            ip: b"",
            db: b"",
            time: *time,
            timestamp: None,
            connection: Some(start.connection),
            offset,
            record_bytes: uncut.unwrap_or(record.len() as u64),
            attributes: &[],
        };
        if let Some(uncut) = uncut {
            event.query_length = uncut - (record.len() - argument.len()) as u64;
        }
        let is_statement = matches!(start.command, b"Query" | b"Execute");
        let (user, host, db) = self.connection(&start, argument);
        let name;
        if !is_statement {
            name = [b"administrator command: ", start.command].concat();
            (event.query, event.query_length, event.command) = (&name, name.len() as u64, Command::Admin);
        }
        (event.user, event.host) = (user, host);
        event.db = db.or(self.databases.get(&start.connection).map(Vec::as_slice)).unwrap_or_default();
        take(&event);
        if start.command == b"Quit" {
            self.databases.remove(&start.connection);
        }
    }

    /// The user, host and schema that a line says, of which the schema is remembered.
    fn connection<'a>(
        &mut self,
        start: &Start<'_>,
        argument: &'a [u8],
    ) -> (&'a [u8], &'a [u8], Option<&'a [u8]>) {
        let mut words = argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (mut user, mut host) = (&b""[..], &b""[..]);
        let db = match start.command {
            b"Init DB" => words.next(),
            b"Connect" if !argument.starts_with(b"Access denied") => {
                let who = words.next().unwrap_or_default();
                let at = memchr::memrchr(b'@', who).unwrap_or(who.len());
                (user, host) = (who.get(..at).unwrap_or_default(), who.get(at + 1..).unwrap_or_default());
                words.find(|word| *word == b"on").and_then(|_| words.next()).filter(|word| *word != b"using")
            }
            _ => None,
        };
        if let Some(db) = db
            && (self.databases.len() < MOST_CONNECTIONS || self.databases.contains_key(&start.connection))
        {
            self.databases.insert(start.connection, db.to_vec());
        }
        (user, host, db)
    }

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

#[cfg(test)]
mod tests {
    use crate::{All, Attribute, Ingest, Settings};

    const MYSQL: &str = "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\nTcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock\nTime                 Id Command    Argument\n2024-03-01T10:00:03.123456Z\t   12 Connect\tshop@localhost on shop using Socket\n2024-03-01T10:00:03.123457Z\t   12 Query\tSELECT 1\nFROM t\n2024-03-01T10:00:04.000000Z\t   13 Execute\tSELECT 2 FROM t\n2024-03-01T10:00:05.000000Z\t   12 Quit\t\n";
    const MARIADB: &str = "240301 10:00:03\t     5 Connect\troot@localhost on  using Socket\n\t\t     5 Query\tselect @@version\n\t\t     5 Init DB\tshop\n240301 10:00:04\t     5 Query\tselect 7 from t\n";

    #[test]
    fn statements_are_counted_with_their_schema_whatever_the_split() {
        for (log, events, query, db) in
            [(MYSQL, 4, &b"select ? from t"[..], &b"shop"[..]), (MARIADB, 4, b"select ? from t", b"shop")]
        {
            for (threads, chunk_bytes) in [(1, 1 << 20), (3, 7)] {
                let settings = Settings { threads, chunk_bytes, ..Settings::default() };
                let mut ingest = Ingest::new(&settings, &All);
                ingest.log("general.log", &mut log.as_bytes());
                let digest = ingest.finish();
                assert_eq!(digest.events, events);
                let class = digest.class(query).unwrap();
                assert_eq!(class.text(Attribute::DB).unwrap().ranked()[0].0, db);
                assert_eq!(digest.event_bytes + digest.problems.skipped_bytes(), log.len() as u64);
                assert!(class.first().is_some());
            }
        }
    }
}
