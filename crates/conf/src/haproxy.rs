//! Configuration files of HAProxy: sections of keyword lines.
//!
//! The rules are those of `parse_line` in src/tools.c and `readcfgfile` in src/cfgparse.c of HAProxy 2.6: a section
//! begins at a line whose first word names one, however it is indented; no line goes on in the next.

use std::sync::Arc;

use crate::document::{Document, Line, Span};
use crate::edit_error::{EditError, Problem, places};
use crate::settings::LineRole;

/// Words that begin a section, up to those of HAProxy 3.2.
const SECTIONS: [&str; 20] = [
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "resolvers",
    "mailers",
    "userlist",
    "cache",
    "program",
    "http-errors",
    "ring",
    "log-forward",
    "fcgi-app",
    "namespace_list",
    "crt-store",
    "traces",
    "log-profile",
    "acme",
];

const QUOTE: &str = "a quote is not closed, for which HAProxy refuses the file";
const OUTSIDE: &str = "a keyword stands before the first section, for which HAProxy refuses the file";
const CONTROL: &str = "the line holds a NUL or a carriage return";
const UNBALANCED: &str = "`.elif`, `.else` or `.endif` stands without `.if`, or an `.if` is not closed";

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) span: Span,
    /// Without quotes, escapes undone.
    pub(crate) value: Vec<u8>,
}

/// A line with words on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) number: usize,
    /// The index of the statement that begins its section; its own for that one.
    pub(crate) section: Option<usize>,
    pub(crate) words: Vec<Word>,
    /// Whether it stands between `.if` and `.endif`, so that it may have no effect.
    pub(crate) conditional: bool,
}

impl Statement {
    /// Returns the values after `no`, and whether there is a `no`.
    pub(crate) fn signed(&self) -> (bool, &[Word]) {
        match self.words.split_first() {
            Some((first, rest)) if first.value == b"no" => (true, rest),
            _ => (false, &self.words),
        }
    }
}

/// A configuration file of HAProxy that keeps every byte, and its sections.
///
/// Reading never fails: what is not understood is kept and listed by [`HaproxyDocument::problems`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaproxyDocument {
    pub(crate) document: Document,
    pub(crate) statements: Vec<Statement>,
    /// One for each line.
    pub(crate) roles: Vec<LineRole>,
    /// Whether an `.if` is open after the line; one for each line.
    pub(crate) open_after: Vec<bool>,
    problems: Vec<Problem>,
}

impl HaproxyDocument {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_document(Document::new(file, bytes))
    }

    pub(crate) fn from_document(document: Document) -> Self {
        let lines = document.lines().to_vec();
        let mut read = Self {
            document,
            statements: Vec::new(),
            roles: Vec::new(),
            open_after: Vec::new(),
            problems: Vec::new(),
        };
        let (mut depth, mut section) = (0_usize, None);
        for line in &lines {
            let role = read.read_line(*line, &mut depth, &mut section);
            read.roles.push(role);
            read.open_after.push(depth > 0);
        }
        if depth > 0 {
            read.problem(lines.len(), UNBALANCED);
        }
        read
    }

    fn read_line(&mut self, line: Line, depth: &mut usize, section: &mut Option<usize>) -> LineRole {
        let text = line.span.of(self.as_bytes());
        let (words, blank) = (words(text, line.span.start), text.trim_ascii().is_empty());
        if text.iter().any(|byte| matches!(byte, b'\r' | b'\0')) {
            self.problem(line.number, CONTROL);
        }
        let Some(words) = words else {
            self.problem(line.number, QUOTE);
            return LineRole::Statement;
        };
        let Some(first) = words.first().map(|word| word.value.clone()) else {
            return if blank { LineRole::Blank } else { LineRole::Comment };
        };
        let mut conditional = *depth > 0;
        let header = SECTIONS.iter().any(|name| name.as_bytes() == first);
        match first.as_slice() {
            b".if" => *depth = depth.saturating_add(1),
            b".elif" | b".else" | b".endif" if *depth == 0 => self.problem(line.number, UNBALANCED),
            b".endif" => *depth = depth.saturating_sub(1),
            [b'.', ..] => {}
            _ if header => *section = Some(self.statements.len()),
            _ if section.is_none() => self.problem(line.number, OUTSIDE),
            _ => {}
        }
        conditional |= first.starts_with(b".");
        self.statements.push(Statement { number: line.number, section: *section, words, conditional });
        if header { LineRole::Header } else { LineRole::Statement }
    }

    fn problem(&mut self, line: usize, what: &'static str) {
        self.problems.push(Problem { file: Arc::clone(self.document.file()), line, what, stops: true });
    }

    /// Returns the document underneath: name, bytes and lines.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Prints the file: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// Prints the file and gives its bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_bytes()
    }

    /// Returns the lines HAProxy refuses the file for, as far as words and sections tell.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the arguments of a keyword of a section, as written; empty for a keyword without any.
    ///
    /// The section is named as it begins: `global`, `defaults`, `frontend www`. The keyword has one word or more
    /// (`timeout connect`), and `no` before them to ask for the negated line.
    ///
    /// # Errors
    ///
    /// No such section; or several, or several lines of the keyword, unless all are equal.
    pub fn get(&self, section: &str, keyword: &str) -> Result<Option<&[u8]>, EditError> {
        let wanted = Keyword::new(keyword);
        let sections = self.sections(section, keyword)?;
        let found =
            self.lines_of(&sections, &wanted).into_iter().filter_map(|index| self.statements.get(index));
        let mut found = found.filter(|line| line.signed().0 == wanted.negated && !line.conditional);
        Ok(found.next_back().map(|line| self.arguments_span(line, &wanted).of(self.as_bytes())))
    }

    /// Finds the statements that begin the section of this name: one, or all `global` ones.
    pub(crate) fn sections(&self, section: &str, setting: &str) -> Result<Vec<usize>, EditError> {
        let wanted: Vec<&[u8]> = section.split_ascii_whitespace().map(str::as_bytes).collect();
        let begins = |(index, one): &(usize, &Statement)| {
            one.section == Some(*index)
                && !one.words.first().is_some_and(|first| first.value.starts_with(b"."))
        };
        let fits = |one: &Statement| {
            let named =
                one.words.get(1).filter(|word| word.value != b"from").map(|word| word.value.as_slice());
            let first = one.words.first().map(|word| word.value.as_slice());
            first.into_iter().chain(named).eq(wanted.iter().copied())
        };
        let found: Vec<_> =
            self.statements.iter().enumerate().filter(begins).filter(|(_, one)| fits(one)).collect();
        let file = self.document.file();
        let setting = setting.to_owned();
        match found.as_slice() {
            [] => Err(EditError::Missing {
                file: Arc::clone(file),
                setting,
                missing: format!("section {section:?}"),
            }),
            several if several.len() > 1 && wanted != [&b"global"[..]] => Err(EditError::Ambiguous {
                file: Arc::clone(file),
                setting,
                name: section.to_owned(),
                places: places(file, several.iter().map(|(_, one)| one.number)),
                how: "give the sections names of their own first",
            }),
            found => Ok(found.iter().map(|(index, _)| *index).collect()),
        }
    }

    /// Finds the lines of a keyword in these sections, those with and without `no`.
    pub(crate) fn lines_of(&self, sections: &[usize], keyword: &Keyword) -> Vec<usize> {
        let lines = self.statements.iter().enumerate();
        lines
            .filter(|(index, one)| {
                one.section.is_some_and(|section| sections.contains(&section) && section != *index)
                    && keyword.begins(one.signed().1)
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// From the first argument after the keyword to the last; the empty span after the keyword without any.
    pub(crate) fn arguments_span(&self, line: &Statement, keyword: &Keyword) -> Span {
        let words = line.signed().1;
        let end = words.last().map_or(0, |word| word.span.end);
        Span::new(words.get(keyword.words.len()).map_or(end, |word| word.span.start), end)
    }
}

/// A keyword that an edit names.
pub(crate) struct Keyword {
    pub(crate) negated: bool,
    pub(crate) words: Vec<Vec<u8>>,
}

impl Keyword {
    pub(crate) fn new(keyword: &str) -> Self {
        let mut words: Vec<_> =
            keyword.split_ascii_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        let negated = words.first().is_some_and(|word| word == b"no");
        if negated {
            words.remove(0);
        }
        Self { negated, words }
    }

    fn begins(&self, words: &[Word]) -> bool {
        let own = words.get(..self.words.len()).unwrap_or_default();
        !self.words.is_empty() && own.iter().map(|word| &word.value).eq(&self.words)
    }
}

/// Splits a line into words, up to its comment; `None` when a quote is not closed.
pub(crate) fn words(line: &[u8], offset: usize) -> Option<Vec<Word>> {
    let (mut words, mut at): (Vec<Word>, usize) = (Vec::new(), 0);
    let mut open: Option<Word> = None;
    let mut quote = None;
    loop {
        let byte = line.get(at).copied();
        let ends = byte.is_none_or(|byte| byte == b'#' || byte.is_ascii_whitespace() || byte == 11);
        if quote.is_none() && ends {
            let end = offset.saturating_add(at);
            words.extend(open.take().map(|word| Word { span: Span::new(word.span.start, end), ..word }));
            if matches!(byte, None | Some(b'#')) {
                return Some(words);
            }
            at = at.saturating_add(1);
            continue;
        }
        let byte = byte?;
        let start = offset.saturating_add(at);
        let word = open.get_or_insert(Word { span: Span::new(start, start), value: Vec::new() });
        at = at.saturating_add(1);
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(mark)) if byte == mark => quote = None,
            (b'\\', None | Some(b'"')) => {
                let escaped = line.get(at).and_then(|code| unescaped(*code));
                word.value.push(escaped.unwrap_or(byte));
                at = at.saturating_add(usize::from(escaped.is_some()));
            }
            _ => word.value.push(byte),
        }
    }
}

const fn unescaped(code: u8) -> Option<u8> {
    match code {
        b' ' | b'\\' | b'#' | b'"' | b'\'' | b'$' => Some(code),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'n' => Some(b'\n'),
        _ => None,
    }
}

#[cfg(test)]
#[path = "haproxy_tests.rs"]
mod tests;
