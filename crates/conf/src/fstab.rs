//! Tables of mounts: `/etc/fstab`, `/proc/mounts` and the headings of `/proc/self/mountstats`.

use std::sync::Arc;

use crate::document::{Document, Line, Span};

/// Which of the two kinds of table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountTableDialect {
    /// fstab(5): fields separated by blanks, comments, fields four to six optional.
    Fstab,
    /// `/proc/mounts` (proc(5)): one space between fields, six fields, no comments. The device may be empty.
    ProcMounts,
}

/// One mount option, such as `noatime` or `nconnect=8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption {
    /// Name, escapes undone.
    pub name: Vec<u8>,
    /// What follows the first `=`, escapes undone; `None` without an `=`.
    pub value: Option<Vec<u8>>,
    /// Where the option stands, without the commas.
    pub span: Span,
}

/// One file system of a table, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountEntry {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// From the first byte of the device to the last of the last field.
    pub span: Span,
    /// Device, remote file system or tag (`fs_spec`), escapes undone.
    pub device: Vec<u8>,
    /// Mount point (`fs_file`), escapes undone.
    pub mount_point: Vec<u8>,
    /// File system type (`fs_vfstype`), escapes undone.
    pub fstype: Vec<u8>,
    /// Mount options (`fs_mntops`), in order; the last of a repeated name counts.
    pub options: Vec<MountOption>,
    /// Where the field of options stands; `None` when the line ends before it.
    pub options_span: Option<Span>,
    /// `fs_freq`; `None` when the line ends before it, which fstab(5) reads as 0.
    pub dump: Option<i32>,
    /// `fs_passno`; `None` when the line ends before it, which fstab(5) reads as 0.
    pub pass: Option<i32>,
}

impl MountEntry {
    /// Returns the last option of this name, which is the one that counts.
    pub fn option(&self, name: impl AsRef<[u8]>) -> Option<&MountOption> {
        self.options.iter().rev().find(|option| option.name == name.as_ref())
    }
}

/// Why a line of a table is not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountTableProblemReason {
    /// Device, mount point or type is missing.
    TooFewFields,
    /// The fifth or sixth field is not a number; libmount refuses the whole line for it.
    NotANumber,
}

/// A line that is neither blank, nor a comment, nor an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountTableProblem {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// The whole line.
    pub span: Span,
    /// Why.
    pub reason: MountTableProblemReason,
}

/// A table of mounts that keeps every byte, and its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountTable {
    pub(crate) document: Document,
    pub(crate) dialect: MountTableDialect,
    entries: Vec<MountEntry>,
    problems: Vec<MountTableProblem>,
}

impl MountTable {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>, dialect: MountTableDialect) -> Self {
        Self::from_document(Document::new(file, bytes), dialect)
    }

    pub(crate) fn from_document(document: Document, dialect: MountTableDialect) -> Self {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for line in document.lines() {
            match read_entry(&document, *line, dialect) {
                Ok(entry) => entries.extend(entry),
                Err(reason) => problems.push(MountTableProblem {
                    file: Arc::clone(document.file()),
                    line: line.number,
                    span: line.span,
                    reason,
                }),
            }
        }
        Self { document, dialect, entries, problems }
    }

    /// Returns the document underneath: name, bytes and lines.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Prints the file: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// Returns the entries in the order of the file.
    pub fn entries(&self) -> &[MountEntry] {
        &self.entries
    }

    /// Returns the lines that are not entries though they are neither blank nor comments.
    pub fn problems(&self) -> &[MountTableProblem] {
        &self.problems
    }

    /// Returns the entry that stands on a line.
    pub fn entry_at(&self, line: usize) -> Option<&MountEntry> {
        self.entries.iter().find(|entry| entry.line == line)
    }
}

/// Undoes the octal escapes of a field: `\040` is a space, `\011` a tab, `\012` a line feed, `\134` a backslash.
///
/// fstab(5) names the first two; the kernel's `mangle` (fs/proc_namespace.c) escapes all four, and newer kernels
/// `#` as `\043`. As in libmount, any three octal digits up to `\377` count; other backslashes stand for
/// themselves.
pub fn unescape_octal(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [byte, after @ ..] = rest {
        rest = match rest {
            [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..] => {
                out.push(((high & 7) << 6) | ((middle & 7) << 3) | (low & 7));
                after
            }
            _ => {
                out.push(*byte);
                after
            }
        };
    }
    out
}

/// The heading of one file system in `/proc/self/mountstats`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountDevice {
    /// Device, escapes undone; `None` for "no device".
    pub device: Option<Vec<u8>>,
    /// Mount point, escapes undone.
    pub mount_point: Vec<u8>,
    /// File system type, escapes undone.
    pub fstype: Vec<u8>,
    /// What follows the type, such as `statvers=1.1`; empty for most types.
    pub statistics: Vec<u8>,
}

/// Reads a heading of `/proc/self/mountstats`, or returns `None` for any other line.
///
/// proc(5): `device D mounted on M with fstype T`, and after that what the file system adds.
pub fn parse_mountstats_device(line: &[u8]) -> Option<MountDevice> {
    let mut words = line.splitn(8, |byte| *byte == b' ');
    let (first, second) = (words.next()?, words.next()?);
    let device = match (first, second) {
        (b"device", device) => Some(unescape_octal(device)),
        (b"no", b"device") => None,
        _ => return None,
    };
    let mut expect = |word: &[u8]| words.next().filter(|found| *found == word).map(|_| ());
    expect(b"mounted")?;
    expect(b"on")?;
    let mount_point = unescape_octal(words.next()?);
    let mut expect = |word: &[u8]| words.next().filter(|found| *found == word).map(|_| ());
    expect(b"with")?;
    expect(b"fstype")?;
    let tail = words.next()?;
    let end = tail.iter().position(|byte| *byte == b' ').unwrap_or(tail.len());
    let (fstype, statistics) = tail.split_at_checked(end)?;
    Some(MountDevice {
        device,
        mount_point,
        fstype: unescape_octal(fstype),
        statistics: statistics.trim_ascii().to_vec(),
    })
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn read_entry(
    document: &Document,
    line: Line,
    dialect: MountTableDialect,
) -> Result<Option<MountEntry>, MountTableProblemReason> {
    let bytes = document.as_bytes();
    let blankless = line.span.trim(bytes, is_blank);
    let comment =
        dialect == MountTableDialect::Fstab && blankless.of(bytes).first().is_some_and(|byte| *byte == b'#');
    if comment || blankless.is_empty() {
        return Ok(None);
    }
    let fields = fields(bytes, line.span, dialect);
    let [device, mount_point, fstype, more @ ..] = fields.as_slice() else {
        return Err(MountTableProblemReason::TooFewFields);
    };
    let options_span = more.first().copied();
    let last = more.get(..more.len().min(3)).and_then(<[Span]>::last).unwrap_or(fstype);
    let text = |span: &Span| unescape_octal(span.of(bytes));
    Ok(Some(MountEntry {
        file: Arc::clone(document.file()),
        line: line.number,
        span: Span::new(device.start, last.end),
        device: text(device),
        mount_point: text(mount_point),
        fstype: text(fstype),
        options: options_span.map(|span| read_options(bytes, span)).unwrap_or_default(),
        options_span,
        dump: more.get(1).map(|span| read_number(span.of(bytes))).transpose()?,
        pass: more.get(2).map(|span| read_number(span.of(bytes))).transpose()?,
    }))
}

fn fields(bytes: &[u8], line: Span, dialect: MountTableDialect) -> Vec<Span> {
    let separates = |byte: &u8| match dialect {
        MountTableDialect::Fstab => is_blank(*byte),
        MountTableDialect::ProcMounts => *byte == b' ',
    };
    split_spans(line, line.of(bytes).split(separates))
        .filter(|span| dialect == MountTableDialect::ProcMounts || !span.is_empty())
        .collect()
}

/// Turns the parts of a split on single bytes into their spans, given the span of the whole.
fn split_spans<'a>(whole: Span, parts: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Span> {
    let mut start = whole.start;
    parts.map(move |part| {
        let span = Span::new(start, start.saturating_add(part.len()));
        start = span.end.saturating_add(1);
        span
    })
}

/// Splits a field of options at its commas; as in libmount, a comma in double quotes does not separate.
fn read_options(bytes: &[u8], field: Span) -> Vec<MountOption> {
    let mut quoted = false;
    let separates = |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    split_spans(field, field.of(bytes).split(separates))
        .filter(|span| !span.is_empty())
        .map(|span| {
            let text = span.of(bytes);
            let equals = text.iter().position(|byte| *byte == b'=');
            let (name, rest) = text.split_at_checked(equals.unwrap_or(text.len())).unwrap_or((text, b""));
            MountOption {
                name: unescape_octal(name),
                value: rest.strip_prefix(b"=").map(unescape_octal),
                span,
            }
        })
        .collect()
}

fn read_number(text: &[u8]) -> Result<i32, MountTableProblemReason> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(MountTableProblemReason::NotANumber)
}

#[cfg(test)]
#[path = "fstab_tests.rs"]
mod tests;
