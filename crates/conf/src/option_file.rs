//! The dialect of MariaDB's and MySQL's option files (my.cnf).
//!
//! The rules are those of `search_default_file_with_ext` and `remove_end_comment` in mysys/my_default.c of
//! MariaDB 10.11.

use std::sync::Arc;

use crate::document::{Document, Line, Span};
use crate::settings::{Header, LineRole, Reading, Setting};

const NO_GROUP: &str = "an option stands before the first group, which stops the server from starting";
const BAD_GROUP: &str = "a group has no `]`, which stops the server from starting";
const NUL: &str = "the line holds a NUL";

/// Reads every line; stops at one that stops the server from starting.
pub(crate) fn read(document: &Document) -> Reading {
    let mut reading = Reading::default();
    for line in document.lines() {
        let text = line.span.trim(document.as_bytes(), is_space);
        let bytes = text.of(document.as_bytes());
        let (role, stop) = match bytes {
            [] => (LineRole::Blank, None),
            [b'#' | b';', ..] => (LineRole::Comment, None),
            _ if bytes.contains(&0) => (LineRole::Statement, Some(NUL)),
            [b'!', ..] => (LineRole::Statement, None),
            [b'[', inside @ ..] => {
                let close = inside.iter().position(|byte| *byte == b']');
                let name = close.and_then(|close| inside.get(..close)).map(<[u8]>::trim_ascii_end);
                let index = line.number.saturating_sub(1);
                reading.headers.extend(name.map(|name| Header { index, name: name.to_vec() }));
                (LineRole::Header, name.is_none().then_some(BAD_GROUP))
            }
            _ if reading.headers.is_empty() => (LineRole::Statement, Some(NO_GROUP)),
            _ => {
                let setting = read_option(document, *line, text, reading.section());
                reading.settings.push(setting);
                (LineRole::Statement, None)
            }
        };
        reading.roles.push(role);
        if let Some(what) = stop {
            reading.problem(document, line.number, what, true);
            break;
        }
    }
    reading
}

fn read_option(document: &Document, line: Line, text: Span, section: Option<Vec<u8>>) -> Setting {
    let bytes = document.as_bytes();
    let statement = Span::new(text.start, text.start.saturating_add(comment_start(text.of(bytes))));
    let equals = statement.of(bytes).iter().position(|byte| *byte == b'=');
    let name_end = equals.map_or(statement.end, |equals| text.start.saturating_add(equals));
    let name = Span::new(text.start, name_end).trim(bytes, is_space);
    let value_span = match equals {
        Some(_) => Span::new(name_end.saturating_add(1), statement.end).trim(bytes, is_space),
        None => Span::new(name.end, name.end),
    };
    Setting {
        file: Arc::clone(document.file()),
        line: line.number,
        last_line: line.number,
        section,
        key: name.of(bytes).to_vec(),
        value: bare(value_span.of(bytes)),
        value_span,
        has_equals: equals.is_some(),
        comment_lines: Vec::new(),
    }
}

/// Returns where the comment of a line begins: at a `#` outside quotes; its length without one.
fn comment_start(line: &[u8]) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, byte) in line.iter().enumerate() {
        match (byte, quote) {
            (b'#', None) => return at,
            (b'"' | b'\'', None) if !escaped => quote = Some(*byte),
            (byte, Some(open)) if *byte == open && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && *byte == b'\\' && !escaped;
    }
    line.len()
}

fn is_quoted(value: &[u8]) -> bool {
    value.len() > 1 && matches!(value.first(), Some(b'"' | b'\'')) && value.first() == value.last()
}

/// Returns the text of a value of the file: without the quotes around it and with its escapes undone.
fn bare(value: &[u8]) -> Vec<u8> {
    let inside = if is_quoted(value) { value.get(1..value.len().saturating_sub(1)) } else { Some(value) };
    let mut text = Vec::with_capacity(value.len());
    let mut rest = inside.unwrap_or_default();
    while let [byte, after @ ..] = rest {
        let (escaped, next) = match rest {
            [b'\\', code, after @ ..] => (unescaped(*code), after),
            _ => (None, after),
        };
        text.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { next } else { after };
    }
    text
}

const fn unescaped(code: u8) -> Option<u8> {
    match code {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'b' => Some(8),
        b's' => Some(b' '),
        b'"' | b'\'' | b'\\' => Some(code),
        _ => None,
    }
}

/// Returns the text of a value that an edit gives, which is in the file's syntax when it is quoted.
pub(crate) fn bare_given(value: &[u8]) -> Vec<u8> {
    if is_quoted(value) { bare(value) } else { value.to_vec() }
}

/// Writes a value so that it is read back: as given, or in double quotes.
pub(crate) fn written(value: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| !matches!(byte, 0..=0x1f | b'#' | b'"' | b'\'' | b'\\');
    if is_quoted(value) || (value.trim_ascii() == value && value.iter().all(plain)) {
        return value.to_vec();
    }
    let mut text = vec![b'"'];
    for byte in value {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            other => text.push(*other),
        }
    }
    text.push(b'"');
    text
}

/// Compares names of options, in which `-` and `_` are the same.
pub(crate) fn same_option(one: &[u8], other: &[u8]) -> bool {
    let dash = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
    one.iter().map(dash).eq(other.iter().map(dash))
}

/// `isspace` of the C locale.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}
