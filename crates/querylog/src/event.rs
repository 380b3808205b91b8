//! One event of a log: a query or a command, with what the log says of it.

use crate::attribute::{Attribute, Unit};
use crate::time::Time;

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Command {
    /// A statement.
    #[default]
    Query,
    /// An administrator command of the protocol, such as `Ping` or `Quit`.
    Admin,
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number, in whole microseconds or whatever is counted.
    Number(u64, Unit),
    /// `Yes` or `No`.
    Flag(bool),
    /// Text.
    Text(&'a [u8]),
}

impl Value<'_> {
    /// As a number in shown units: seconds for times, 1 and 0 for flags.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(value, unit) => Some(value as f64 / unit.scale()),
            Self::Flag(set) => Some(f64::from(u8::from(set))),
            Self::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        }
    }
}

/// An event. Text is as in the log, whatever bytes that are.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Statement or command.
    pub command: Command,
    /// The statement without its final semicolon; of a command, `administrator command: ` and its name.
    pub query: &'a [u8],
    /// How long the statement is, in bytes. It is longer than `query` where a gigantic one was cut.
    pub query_length: u64,
    /// The user's name; empty where the log does not say it.
    pub user: &'a [u8],
    /// The client's host; its address where the log has no name for it.
    pub host: &'a [u8],
    /// The client's address; empty where the log does not say it.
    pub ip: &'a [u8],
    /// The default schema, which events inherit from those before; empty where no event said it.
    pub db: &'a [u8],
    /// When it was logged, which events inherit from those before.
    pub time: Option<Time>,
    /// `SET timestamp`: seconds since 1970, UTC.
    pub timestamp: Option<i64>,
    /// The connection's number.
    pub connection: Option<u64>,
    /// Where its record begins in the (decompressed) log, in bytes.
    pub offset: u64,
    /// How long its record is, in bytes.
    pub record_bytes: u64,
    /// Everything else that the log says, in the log's order.
    pub attributes: &'a [(Attribute, Value<'a>)],
}

impl<'a> Event<'a> {
    /// The value of an attribute by its name, whatever the case of its letters; `bytes` is the query's length.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value<'a>> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let text = |text: &'a [u8]| (!text.is_empty()).then_some(Value::Text(text));
        if let Some(found) = self.attributes.iter().rev().find(|(attribute, _)| is(attribute.name())) {
            return Some(found.1);
        }
        if is("Query_length") || is("bytes") {
            return Some(Value::Number(self.query_length, Unit::Count));
        }
        match () {
            () if is("db") => text(self.db),
            () if is("user") => text(self.user),
            () if is("host") => text(self.host),
            () if is("ip") => text(self.ip),
            () if is("Thread_id") || is("Id") => self.connection.map(|id| Value::Number(id, Unit::Count)),
            () if is("timestamp") => {
                self.timestamp.and_then(|s| u64::try_from(s).ok()).map(|s| Value::Number(s, Unit::Count))
            }
            () if is("query") || is("arg") => Some(Value::Text(self.query)),
            () => None,
        }
    }

    /// The value of a numeric attribute, in whole microseconds or whatever is counted.
    #[must_use]
    pub fn number(&self, attribute: Attribute) -> Option<u64> {
        self.attributes.iter().rev().find_map(|(found, value)| match value {
            Value::Number(value, _) if *found == attribute => Some(*value),
            _ => None,
        })
    }
}
