//! A document that keeps every byte: lines, spans and replacement of one span.

use std::sync::Arc;

use thiserror::Error;

/// A half-open range of byte offsets in a document: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset just past the last byte.
    pub end: usize,
}

impl Span {
    /// Makes the span from `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Returns the length in bytes; 0 for a reversed span.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Tells whether the span covers no byte.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of `bytes` the span covers; empty where it leaves them.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Shrinks the span from both ends past the bytes `blank` accepts.
    ///
    /// A span of nothing but such bytes becomes the empty span at its end.
    pub(crate) fn trim(self, bytes: &[u8], blank: impl Fn(u8) -> bool) -> Self {
        let text = self.of(bytes);
        let leading = text.iter().take_while(|byte| blank(**byte)).count();
        let trailing = text.iter().skip(leading).rev().take_while(|byte| blank(**byte)).count();
        Self { start: self.start.saturating_add(leading), end: self.end.saturating_sub(trailing) }
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    CrLf,
    /// Nothing: the last line of a document without a final newline.
    None,
}

impl LineEnding {
    /// Returns the bytes of the ending.
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::None => b"",
        }
    }
}

/// One line of a document, as an editor counts lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line number, from 1.
    pub number: usize,
    /// The text, without its ending.
    pub span: Span,
    /// How the line ends.
    pub ending: LineEnding,
}

/// Why a document could not be edited.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// The span is not inside the document.
    #[error(
        "replacing bytes {start}..{end} of {file}: the document has {length_bytes} bytes; read it again and \
         take the span from there"
    )]
    OutOfBounds {
        /// The document's name.
        file: Arc<str>,
        /// Start of the span asked for.
        start: usize,
        /// End of the span asked for.
        end: usize,
        /// Length of the document.
        length_bytes: usize,
    },
}

/// The exact bytes of one file, split into lines.
///
/// The bytes may hold invalid UTF-8, NULs, mixed line endings and lines of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    file: Arc<str>,
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

impl Document {
    /// Takes the bytes of the file named `file`; the name is used in reports only.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let lines = split_lines(&bytes);
        Self { file: file.into(), bytes, lines }
    }

    /// Returns the name the document was given.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Prints the document: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Prints the document and gives its bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the lines, in order. An empty document has none.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the bytes a span covers, or `None` when the span is not inside the document.
    pub fn get(&self, span: Span) -> Option<&[u8]> {
        self.bytes.get(span.start..span.end)
    }

    /// Replaces the bytes of one span and leaves every other byte alone.
    ///
    /// # Errors
    ///
    /// [`DocumentError::OutOfBounds`] when the span is not inside the document; nothing is changed then.
    pub fn replace(&mut self, span: Span, replacement: &[u8]) -> Result<(), DocumentError> {
        if self.get(span).is_none() {
            return Err(DocumentError::OutOfBounds {
                file: Arc::clone(&self.file),
                start: span.start,
                end: span.end,
                length_bytes: self.bytes.len(),
            });
        }
        self.bytes.splice(span.start..span.end, replacement.iter().copied());
        self.lines = split_lines(&self.bytes);
        Ok(())
    }

    /// Appends a line with the ending of the document's first line, and first ends an unended last line.
    pub fn append_line(&mut self, text: &[u8]) {
        let ending = self.first_ending().as_bytes();
        if self.lines.last().is_some_and(|line| line.ending == LineEnding::None) {
            self.bytes.extend_from_slice(ending);
        }
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(ending);
        self.lines = split_lines(&self.bytes);
    }

    /// Inserts a line before the line at `index`, from 0, with the ending of the line above it.
    ///
    /// At or past the end of the document this is [`Document::append_line`].
    pub fn insert_line(&mut self, index: usize, text: &[u8]) {
        let Some(line) = self.lines.get(index).copied() else { return self.append_line(text) };
        let above = self.lines.get(index.saturating_sub(1)).map(|line| line.ending);
        let ending = above.filter(|ending| *ending != LineEnding::None).unwrap_or(LineEnding::Lf);
        let whole = [text, ending.as_bytes()].concat();
        self.bytes.splice(line.span.start..line.span.start, whole);
        self.lines = split_lines(&self.bytes);
    }

    /// Removes the lines at these indices, from 0, with their endings; indices past the end are passed over.
    pub fn remove_lines(&mut self, indices: &[usize]) {
        let mut kept = Vec::with_capacity(self.bytes.len());
        for (index, line) in self.lines.iter().enumerate().filter(|(index, _)| !indices.contains(index)) {
            let end = self.lines.get(index + 1).map_or(self.bytes.len(), |next| next.span.start);
            kept.extend_from_slice(Span::new(line.span.start, end).of(&self.bytes));
        }
        self.lines = split_lines(&kept);
        self.bytes = kept;
    }

    fn first_ending(&self) -> LineEnding {
        match self.lines.first().map(|line| line.ending) {
            Some(LineEnding::CrLf) => LineEnding::CrLf,
            _ => LineEnding::Lf,
        }
    }
}

fn split_lines(bytes: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for chunk in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (text_len, ending) = match chunk {
            [text @ .., b'\r', b'\n'] => (text.len(), LineEnding::CrLf),
            [text @ .., b'\n'] => (text.len(), LineEnding::Lf),
            text => (text.len(), LineEnding::None),
        };
        lines.push(Line { number: lines.len() + 1, span: Span::new(start, start + text_len), ending });
        start += chunk.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &Document) -> Vec<&[u8]> {
        document.lines().iter().filter_map(|line| document.get(line.span)).collect()
    }

    #[test]
    fn lines_carry_numbers_spans_and_their_own_endings() {
        let document = Document::new("/etc/x.conf", &b"a\r\nb\n\xff\0c"[..]);
        assert_eq!(texts(&document), [&b"a"[..], b"b", b"\xff\0c"]);
        let endings: Vec<_> = document.lines().iter().map(|line| line.ending).collect();
        assert_eq!(endings, [LineEnding::CrLf, LineEnding::Lf, LineEnding::None]);
        assert_eq!(document.lines()[2].number, 3);
        assert_eq!(document.lines()[2].span, Span::new(5, 8));
    }

    #[test]
    fn an_empty_document_has_no_lines() {
        assert_eq!(Document::new("x", Vec::new()).lines(), []);
    }

    #[test]
    fn an_appended_line_ends_an_unended_last_line_in_the_document_s_own_way() {
        let mut document = Document::new("x", &b"a\r\nb"[..]);
        document.append_line(b"c");
        assert_eq!(document.as_bytes(), b"a\r\nb\r\nc\r\n");
    }

    #[test]
    fn an_inserted_line_ends_as_the_line_above_it() {
        let mut document = Document::new("x", &b"a\r\nb\nc"[..]);
        document.insert_line(1, b"1");
        document.insert_line(3, b"2");
        document.insert_line(9, b"3");
        assert_eq!(document.as_bytes(), b"a\r\n1\r\nb\n2\nc\r\n3\r\n");
        document.insert_line(0, b"0");
        assert!(document.as_bytes().starts_with(b"0\r\na"));
    }

    #[test]
    fn removed_lines_go_with_their_endings() {
        let mut document = Document::new("x", &b"a\r\nb\nc"[..]);
        document.remove_lines(&[1, 7]);
        assert_eq!(document.as_bytes(), b"a\r\nc");
        document.remove_lines(&[1]);
        assert_eq!(document.as_bytes(), b"a\r\n");
    }

    #[test]
    fn a_span_outside_the_document_is_refused_by_name_and_nothing_changes() {
        let mut document = Document::new("/etc/x.conf", &b"abc"[..]);
        let error = document.replace(Span::new(2, 9), b"z").expect_err("out of bounds");
        assert!(error.to_string().contains("bytes 2..9 of /etc/x.conf: the document has 3 bytes"));
        assert!(document.replace(Span { start: 2, end: 1 }, b"z").is_err());
        assert_eq!(document.as_bytes(), b"abc");
    }

    #[test]
    fn trimming_a_blank_span_leaves_an_empty_span_at_its_end() {
        assert_eq!(Span::new(1, 4).trim(b"=   x", |byte| byte == b' '), Span::new(4, 4));
    }
}
