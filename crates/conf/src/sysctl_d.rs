//! One file of kernel parameters, in the dialect of sysctl.d(5) and sysctl.conf(5).

use std::borrow::Cow;
use std::sync::Arc;

use crate::document::{Document, Line, Span};
use crate::sysctl_key::SysctlKey;

/// Longest line systemd reads, in bytes: at this length it gives up on the rest of the file
/// (`LONG_LINE_MAX`, src/basic/fileio.h of systemd 252).
const LONGEST_LINE_BYTES: usize = 1024 * 1024;

/// What a statement of sysctl.d(5) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlEntryKind {
    /// `key = value`.
    Assign,
    /// `-key = value`: a failure to write it is not an error (sysctl.d(5), sysctl.conf(5)).
    AssignIgnoringErrors,
    /// `-key` alone: no glob sets the key (sysctl.d(5)). In systemd it also cancels an earlier
    /// assignment to the key; `sysctl --system` of procps 4 still writes that assignment.
    Exclude,
}

/// One statement of a file, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlEntry {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// The statement, from the key or the `-` before it to the end of the value.
    pub span: Span,
    /// The key alone.
    pub key_span: Span,
    /// The value alone; empty, after the key, for [`SysctlEntryKind::Exclude`].
    pub value_span: Span,
    /// The key as written.
    pub raw_key: Vec<u8>,
    /// The value as written, without the blanks around it.
    pub raw_value: Vec<u8>,
    /// The normalised key.
    pub key: SysctlKey,
    /// What the statement does.
    pub kind: SysctlEntryKind,
    /// Whether the value holds something its author may have meant as a comment: a `#` or `;` after a blank.
    ///
    /// Neither manual page knows comments after a value, so the text is written to the kernel with the rest.
    pub trailing_comment_like: bool,
}

impl SysctlEntry {
    /// Returns the value for showing; bytes that are not UTF-8 become U+FFFD.
    pub fn value_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.raw_value)
    }

    /// Tells whether the statement gives the key a value.
    pub fn is_assignment(&self) -> bool {
        self.kind != SysctlEntryKind::Exclude
    }
}

/// A line that is neither blank, nor a comment, nor a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadLine {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// What was not understood.
    pub span: Span,
    /// Why.
    pub reason: UnreadReason,
}

/// Why a line of a sysctl.d file has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadReason {
    /// There is no `=`, and no `-` in front.
    NotAnAssignment,
    /// There is no key.
    EmptyKey,
    /// The line is 1 MiB or longer: systemd 252 reads neither it nor anything after it.
    LineTooLong,
}

/// A sysctl.d file that keeps every byte, and its statements.
///
/// Lines end at a line feed, as everywhere in this crate; a carriage return or a NUL inside a line ends a
/// statement too, because systemd's `read_line` (src/basic/fileio.c) takes either for the end of a line.
/// procps does not; no real file depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlDocument {
    pub(crate) document: Document,
    entries: Vec<SysctlEntry>,
    unread: Vec<UnreadLine>,
}

impl SysctlDocument {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_document(Document::new(file, bytes))
    }

    pub(crate) fn from_document(document: Document) -> Self {
        let (entries, unread) = read_entries(&document);
        Self { document, entries, unread }
    }

    /// Returns the document underneath: name, bytes and lines.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Prints the file: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// Returns the statements in the order of the file.
    pub fn entries(&self) -> &[SysctlEntry] {
        &self.entries
    }

    /// Returns the lines that have no effect though they are neither blank nor comments.
    pub fn unread(&self) -> &[UnreadLine] {
        &self.unread
    }

    /// Returns the last statement about exactly this key, which is the one that counts within the file.
    pub fn last(&self, key: &SysctlKey) -> Option<&SysctlEntry> {
        self.entries.iter().rev().find(|entry| entry.key == *key)
    }
}

pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(crate) const fn ends_statement(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'\0')
}

fn read_entries(document: &Document) -> (Vec<SysctlEntry>, Vec<UnreadLine>) {
    let (mut entries, mut unread) = (Vec::new(), Vec::new());
    for line in document.lines() {
        for span in statements(document.as_bytes(), *line) {
            match read_statement(document, line.number, span) {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => {}
                Err(reason) => {
                    unread.push(UnreadLine {
                        file: Arc::clone(document.file()),
                        line: line.number,
                        span,
                        reason,
                    });
                    if reason == UnreadReason::LineTooLong {
                        return (entries, unread);
                    }
                }
            }
        }
    }
    (entries, unread)
}

fn statements(bytes: &[u8], line: Line) -> impl Iterator<Item = Span> {
    let mut start = line.span.start;
    line.span.of(bytes).split(|byte| ends_statement(*byte)).map(move |text| {
        let span = Span::new(start, start.saturating_add(text.len()));
        start = span.end.saturating_add(1);
        span
    })
}

fn read_statement(
    document: &Document,
    line: usize,
    whole: Span,
) -> Result<Option<SysctlEntry>, UnreadReason> {
    let bytes = document.as_bytes();
    if whole.len() >= LONGEST_LINE_BYTES {
        return Err(UnreadReason::LineTooLong);
    }
    let span = whole.trim(bytes, is_blank);
    let text = span.of(bytes);
    if matches!(text.first(), None | Some(b'#' | b';')) {
        return Ok(None);
    }
    let equals = text.iter().position(|byte| *byte == b'=').map(|offset| span.start.saturating_add(offset));
    let dash = usize::from(text.first() == Some(&b'-'));
    let kind = match (equals, dash) {
        (Some(_), 0) => SysctlEntryKind::Assign,
        (Some(_), _) => SysctlEntryKind::AssignIgnoringErrors,
        (None, 0) => return Err(UnreadReason::NotAnAssignment),
        (None, _) => SysctlEntryKind::Exclude,
    };
    let key_end = equals.unwrap_or(span.end);
    let key_span = Span::new(span.start.saturating_add(dash), key_end).trim(bytes, is_blank);
    let value_span = match equals {
        Some(equals) => Span::new(equals.saturating_add(1), whole.end).trim(bytes, is_blank),
        None => Span::new(span.end, span.end),
    };
    let raw_key = key_span.of(bytes).to_vec();
    let key = SysctlKey::new(&raw_key);
    if key.is_empty() {
        return Err(UnreadReason::EmptyKey);
    }
    let raw_value = value_span.of(bytes).to_vec();
    Ok(Some(SysctlEntry {
        file: Arc::clone(document.file()),
        line,
        span,
        key_span,
        value_span,
        raw_key,
        trailing_comment_like: looks_commented(&raw_value),
        raw_value,
        key,
        kind,
    }))
}

fn looks_commented(value: &[u8]) -> bool {
    value
        .iter()
        .zip(value.iter().skip(1))
        .any(|(before, byte)| is_blank(*before) && matches!(byte, b'#' | b';'))
}

#[cfg(test)]
#[path = "sysctl_d_tests.rs"]
mod tests;
