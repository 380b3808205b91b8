//! Files of sections with `key = value` lines, edited by section and key.

use std::sync::Arc;

use crate::document::{Document, Span};
use crate::edit_error::{EditError, Problem, places};
use crate::settings_place::place_of_new;
use crate::{option_file, php_ini, systemd_unit};

/// Which program's rules a file of sections follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsDialect {
    /// php.ini, the files of `conf.d`, and PHP-FPM pools: `;` comments, quotes, `key[name]`.
    Ini,
    /// Option files of MariaDB and MySQL (my.cnf): `#` and `;` comments, options without a value, `!include`.
    OptionFile,
    /// Unit files, drop-ins and .link files of systemd (systemd.syntax(7)): lines go on after a `\`.
    Systemd,
}

/// One setting, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the file.
    pub file: Arc<str>,
    /// Number of its first line, from 1.
    pub line: usize,
    /// Number of its last line.
    pub last_line: usize,
    /// The section without brackets; `None` before the first.
    pub section: Option<Vec<u8>>,
    /// The key as written.
    pub key: Vec<u8>,
    /// The value: without quotes when it is one quoted string, lines joined; empty for an option without a value.
    pub value: Vec<u8>,
    /// Where the value stands, quotes included. Empty, after the key, without an `=`.
    pub value_span: Span,
    /// Whether an `=` follows the key.
    pub has_equals: bool,
    /// Numbers of comment lines between its first line and its last.
    pub comment_lines: Vec<usize>,
}

/// What a line is to one who looks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineRole {
    Blank,
    Comment,
    Header,
    Statement,
}

/// The beginning of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Index of its line, from 0.
    pub(crate) index: usize,
    pub(crate) name: Vec<u8>,
}

/// What a dialect makes of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) headers: Vec<Header>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) problems: Vec<Problem>,
    /// One for each line of the document.
    pub(crate) roles: Vec<LineRole>,
}

impl Reading {
    pub(crate) fn section(&self) -> Option<Vec<u8>> {
        self.headers.last().map(|header| header.name.clone())
    }

    pub(crate) fn problem(&mut self, document: &Document, line: usize, what: &'static str, stops: bool) {
        self.problems.push(Problem { file: Arc::clone(document.file()), line, what, stops });
    }
}

/// Section, key and value of a setting.
type Known<'a> = (Option<&'a [u8]>, &'a [u8], &'a [u8]);

/// A file of sections that keeps every byte, and its settings.
///
/// Reading never fails: what is not understood is kept and listed by [`SettingsDocument::problems`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsDocument {
    document: Document,
    dialect: SettingsDialect,
    reading: Reading,
}

impl SettingsDocument {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>, dialect: SettingsDialect) -> Self {
        Self::from_document(Document::new(file, bytes), dialect)
    }

    fn from_document(document: Document, dialect: SettingsDialect) -> Self {
        let mut reading = match dialect {
            SettingsDialect::Ini => php_ini::read(&document),
            SettingsDialect::OptionFile => option_file::read(&document),
            SettingsDialect::Systemd => systemd_unit::read(&document),
        };
        reading.roles.resize(document.lines().len(), LineRole::Statement);
        Self { document, dialect, reading }
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

    /// Returns the settings in the order of the file, those of every section.
    pub fn settings(&self) -> &[Setting] {
        &self.reading.settings
    }

    /// Returns the lines that are not understood or do not do what they seem to.
    pub fn problems(&self) -> &[Problem] {
        &self.reading.problems
    }

    /// Returns the last setting of this key in the section, over all sections of this name: the one that counts.
    ///
    /// Keys and sections are compared as the dialect compares them.
    pub fn last(&self, section: Option<&str>, key: &str) -> Option<&Setting> {
        self.reading.settings.iter().rev().find(|setting| self.is(setting, section, key))
    }

    /// Returns the value of [`SettingsDocument::last`].
    pub fn get(&self, section: Option<&str>, key: &str) -> Option<&[u8]> {
        self.last(section, key).map(|setting| setting.value.as_slice())
    }

    /// Gives a key of a section its value.
    ///
    /// The value may be given bare or in the file's quotes; quotes are put around it where the dialect needs them.
    /// The last setting of the key is changed; an empty one of systemd, which resets a list, stays and a line is
    /// added below it. A new setting goes below its commented-out default in the section, else to the end of the
    /// section, else into a new section at the end of the file. In an option file, a new option with an empty value
    /// is written without `=`. Nothing changes when the value is already there.
    ///
    /// # Errors
    ///
    /// A key, section or value that would not be read back as given, or a file whose reader gives up before its end.
    pub fn set(&mut self, section: Option<&str>, key: &str, value: &str) -> Result<(), EditError> {
        self.check_readable(key)?;
        let wanted = self.bare(value.as_bytes());
        let breaks = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\0');
        if self.dialect == SettingsDialect::Ini && wanted.iter().any(breaks) {
            return Err(self.unwritable(key));
        }
        let last = self.last(section, key);
        if last.is_some_and(|last| last.value == wanted) {
            return Ok(());
        }
        let reset = |last: &&Setting| {
            self.dialect == SettingsDialect::Systemd && last.has_equals && last.value.is_empty()
        };
        let written = self.written(value.as_bytes());
        let mut document = self.document.clone();
        match last {
            Some(last) if reset(&last) => {
                document.insert_line(last.last_line, &[key.as_bytes(), b"=", &written].concat());
            }
            Some(last) => document.replace(last.value_span, &self.replacement(last, &written))?,
            None => {
                let valueless = self.dialect == SettingsDialect::OptionFile && wanted.is_empty();
                let value = (!valueless).then_some(written.as_slice());
                place_of_new(self, section.map(str::as_bytes), key.as_bytes()).insert(
                    &mut document,
                    key,
                    value,
                );
            }
        }
        self.take(document, section, key, Some(&wanted))
    }

    /// Takes a key out of a section: every line of it. Nothing changes when there is none.
    ///
    /// # Errors
    ///
    /// A file whose reader gives up before its end; or `extension` and `zend_extension` of PHP where they stand more
    /// than once, since each line loads another library.
    pub fn remove(&mut self, section: Option<&str>, key: &str) -> Result<(), EditError> {
        let found: Vec<_> = self.settings().iter().filter(|setting| self.is(setting, section, key)).collect();
        if found.is_empty() {
            return Ok(());
        }
        self.check_readable(key)?;
        if self.dialect == SettingsDialect::Ini && found.len() > 1 && key.ends_with("extension") {
            let file = self.document.file();
            return Err(EditError::Ambiguous {
                file: Arc::clone(file),
                setting: key.to_owned(),
                name: key.to_owned(),
                places: places(file, found.iter().map(|setting| setting.line)),
                how: "each line loads another library; take the one out by hand",
            });
        }
        let lines = found.iter().flat_map(|setting| {
            (setting.line..=setting.last_line).filter(|line| !setting.comment_lines.contains(line))
        });
        let indices: Vec<_> = lines.map(|line| line.saturating_sub(1)).collect();
        let mut document = self.document.clone();
        document.remove_lines(&indices);
        self.take(document, section, key, None)
    }

    /// Takes the edited document over if it reads as intended.
    fn take(
        &mut self,
        document: Document,
        section: Option<&str>,
        key: &str,
        wanted: Option<&[u8]>,
    ) -> Result<(), EditError> {
        let edited = Self::from_document(document, self.dialect);
        let problems = |it: &Self| it.problems().iter().map(|problem| problem.what).collect::<Vec<_>>();
        let as_before = self.others(section, key) == edited.others(section, key)
            && problems(self) == problems(&edited)
            && edited.reading.headers.len().saturating_sub(self.reading.headers.len()) <= 1;
        if !as_before || edited.get(section, key) != wanted {
            return Err(self.unwritable(key));
        }
        *self = edited;
        Ok(())
    }

    fn unwritable(&self, key: &str) -> EditError {
        EditError::Unwritable {
            file: Arc::clone(self.document.file()),
            setting: key.to_owned(),
            why: match self.dialect {
                SettingsDialect::Ini => {
                    "section, key or value cannot be written in one line of an ini file; give one line, and a key \
                     without any of =;&|^$~(){}!\""
                }
                SettingsDialect::OptionFile => {
                    "group, option or value cannot be written in one line of an option file; give a bare name and \
                     a value without a NUL"
                }
                SettingsDialect::Systemd => {
                    "section, key or value cannot be written in one line of a unit file; give one line of UTF-8 \
                     without blanks around it and without a backslash at its end"
                }
            },
        }
    }

    fn check_readable(&self, key: &str) -> Result<(), EditError> {
        match self.problems().iter().find(|problem| problem.stops) {
            None => Ok(()),
            Some(problem) => Err(EditError::Unreadable {
                file: Arc::clone(&problem.file),
                setting: key.to_owned(),
                line: problem.line,
                what: problem.what,
            }),
        }
    }

    /// What an edit of this key must leave alone.
    fn others(&self, section: Option<&str>, key: &str) -> Vec<Known<'_>> {
        let others = self.settings().iter().filter(|setting| !self.is(setting, section, key));
        others.map(|setting| (setting.section.as_deref(), &*setting.key, &*setting.value)).collect()
    }

    /// The bytes for the span of a setting's value; comment lines within the setting follow it.
    fn replacement(&self, setting: &Setting, written: &[u8]) -> Vec<u8> {
        let mut text = match setting.has_equals {
            true => written.to_vec(),
            false => [b" = ", written].concat(),
        };
        let line = |number: usize| self.document.lines().get(number.saturating_sub(1));
        let ending = line(setting.line).map_or(&b"\n"[..], |line| line.ending.as_bytes());
        for comment in setting.comment_lines.iter().filter_map(|number| line(*number)) {
            text.extend([ending, comment.span.of(self.as_bytes())].concat());
        }
        text
    }

    fn is(&self, setting: &Setting, section: Option<&str>, key: &str) -> bool {
        self.same_section(setting.section.as_deref(), section.map(str::as_bytes))
            && self.same_key(&setting.key, key.as_bytes())
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    pub(crate) fn dialect(&self) -> SettingsDialect {
        self.dialect
    }

    pub(crate) fn same_section(&self, one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
        match (one, other, self.dialect) {
            (Some(one), Some(other), SettingsDialect::Ini) => one.eq_ignore_ascii_case(other),
            _ => one == other,
        }
    }

    pub(crate) fn same_key(&self, one: &[u8], other: &[u8]) -> bool {
        match self.dialect {
            SettingsDialect::Ini => php_ini::same_key(one, other),
            SettingsDialect::OptionFile => option_file::same_option(one, other),
            SettingsDialect::Systemd => one == other,
        }
    }

    fn bare(&self, value: &[u8]) -> Vec<u8> {
        match self.dialect {
            SettingsDialect::Ini => php_ini::bare(value),
            SettingsDialect::OptionFile => option_file::bare_given(value),
            SettingsDialect::Systemd => value.to_vec(),
        }
    }

    fn written(&self, value: &[u8]) -> Vec<u8> {
        match self.dialect {
            SettingsDialect::Ini => php_ini::written(value),
            SettingsDialect::OptionFile => option_file::written(value),
            SettingsDialect::Systemd => value.to_vec(),
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
