//! The dialect of systemd's unit files, drop-ins and .link files.
//!
//! systemd.syntax(7) and `config_parse` in src/shared/conf-parser.c of systemd 252: comment lines may stand between
//! the lines of one setting, and a line that is not UTF-8 is passed over.

use std::sync::Arc;

use crate::document::{Document, Line, Span};
use crate::settings::{Header, LineRole, Reading, Setting};

const HEADER: &str = "a section has no `]` at the end of its line, for which systemd refuses the file";
const CONTROL: &str = "the line holds a NUL or a carriage return";
const OUTSIDE: &str = "a setting stands before the first section and is ignored";
const NO_EQUALS: &str = "there is no `=`, and the line is ignored";
const NOT_UTF8: &str = "the line is not UTF-8 and is ignored";

/// A line with those it goes on in.
struct Logical {
    first: Line,
    last: Line,
    comment_lines: Vec<usize>,
    /// The lines joined: a space for each backslash at an end, and no blanks at the beginning of a line.
    text: Vec<u8>,
}

/// Reads every line; stops at one that systemd refuses the file for.
pub(crate) fn read(document: &Document) -> Reading {
    let mut reading =
        Reading { roles: vec![LineRole::Statement; document.lines().len()], ..Reading::default() };
    let mut open: Option<Logical> = None;
    for (index, line) in document.lines().iter().enumerate() {
        let text = body(document, *line).of(document.as_bytes());
        if text.iter().any(|byte| matches!(byte, b'\r' | b'\0')) {
            reading.problem(document, line.number, CONTROL, true);
            return reading;
        }
        let role = match text {
            [] => LineRole::Blank,
            [b'#' | b';', ..] => LineRole::Comment,
            [b'[', ..] => LineRole::Header,
            _ => LineRole::Statement,
        };
        if let Some(slot) = reading.roles.get_mut(index).filter(|_| open.is_none()) {
            *slot = role;
        }
        if role == LineRole::Comment {
            continue;
        }
        let mut logical = open.take().unwrap_or(Logical {
            first: *line,
            last: *line,
            comment_lines: Vec::new(),
            text: Vec::new(),
        });
        let between = document.lines().get(logical.last.number..index).unwrap_or_default();
        logical.comment_lines.extend(between.iter().map(|line| line.number));
        logical.last = *line;
        logical.text.extend_from_slice(text);
        if goes_on(&mut logical.text) {
            open = Some(logical);
        } else if !read_logical(document, &logical, &mut reading) {
            return reading;
        }
    }
    if let Some(logical) = open {
        read_logical(document, &logical, &mut reading);
    }
    reading
}

/// The line without blanks at its beginning and without a byte order mark.
fn body(document: &Document, line: Line) -> Span {
    let bytes = document.as_bytes();
    let mark = if line.number == 1 && line.span.of(bytes).starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = Span::new(line.span.start.saturating_add(mark), line.span.end);
    Span::new(text.trim(bytes, is_blank).start, text.end)
}

/// Turns the backslash that continues the text into a space; `\\` at the end does not.
fn goes_on(text: &mut [u8]) -> bool {
    let goes_on = text.iter().fold(false, |escaped, byte| !escaped && *byte == b'\\');
    if let Some(last) = text.last_mut().filter(|_| goes_on) {
        *last = b' ';
    }
    goes_on
}

/// Reads one logical line; `false` when systemd refuses the file for it.
fn read_logical(document: &Document, logical: &Logical, reading: &mut Reading) -> bool {
    let number = logical.first.number;
    let text = logical.text.trim_ascii();
    if text.is_empty() {
        return true;
    }
    if std::str::from_utf8(text).is_err() {
        reading.problem(document, number, NOT_UTF8, false);
        return true;
    }
    if let Some(inside) = text.strip_prefix(b"[") {
        let Some(name) = inside.strip_suffix(b"]") else {
            reading.problem(document, number, HEADER, true);
            return false;
        };
        reading.headers.push(Header { index: number.saturating_sub(1), name: name.to_vec() });
        return true;
    }
    let bytes = document.as_bytes();
    let whole = body(document, logical.first);
    let equals =
        (text.iter().position(|byte| *byte == b'='), whole.of(bytes).iter().position(|byte| *byte == b'='));
    let (Some(equals), Some(written)) = equals else {
        reading.problem(document, number, NO_EQUALS, false);
        return true;
    };
    if reading.headers.is_empty() {
        reading.problem(document, number, OUTSIDE, false);
        return true;
    }
    let start = whole.start.saturating_add(written).saturating_add(1);
    reading.settings.push(Setting {
        file: Arc::clone(document.file()),
        line: number,
        last_line: logical.last.number,
        section: reading.section(),
        key: text.get(..equals).unwrap_or_default().trim_ascii_end().to_vec(),
        value: text.get(equals.saturating_add(1)..).unwrap_or_default().trim_ascii().to_vec(),
        value_span: Span::new(start, logical.last.span.end).trim(bytes, is_blank),
        has_equals: true,
        comment_lines: logical.comment_lines.clone(),
    });
    true
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
