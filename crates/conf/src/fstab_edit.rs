//! Edits of one mount option in a table, touching only the field of options.

use std::sync::Arc;

use thiserror::Error;

use crate::document::{DocumentError, Span};
use crate::fstab::{MountEntry, MountTable};

/// Why a mount option could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FstabEditError {
    /// No entry stands on the line.
    #[error("changing {option} in {file}: line {line} is not an entry; read the file again")]
    NoEntry {
        /// Name of the file.
        file: Arc<str>,
        /// The line asked for.
        line: usize,
        /// The option asked for.
        option: String,
    },
    /// Name or value cannot be written in the field of options.
    #[error(
        "changing {option} in {file}, line {line}: the name is empty or holds '=', or name or value hold a \
         double quote or a comma, which would split the field; give one option"
    )]
    Unwritable {
        /// Name of the file.
        file: Arc<str>,
        /// The line asked for.
        line: usize,
        /// The option asked for.
        option: String,
    },
    /// The field of options opens a double quote and never closes it, so that nothing can follow it.
    #[error(
        "changing {option} in {file}, line {line}: the field of options never closes a double quote; close it \
         first"
    )]
    UnclosedQuote {
        /// Name of the file.
        file: Arc<str>,
        /// The line asked for.
        line: usize,
        /// The option asked for.
        option: String,
    },
    /// The span of the option was not in the document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl MountTable {
    /// Sets one option of the entry on a line: changes the last option of that name, or else appends it.
    ///
    /// Other options, those that contradict the new one included, are left alone. A line without a field of
    /// options gets one after its type.
    ///
    /// # Errors
    ///
    /// No entry on the line, an option that would not be one option, or an unclosed quote in the field; nothing is changed then.
    pub fn set_option(
        &mut self,
        line: usize,
        name: impl AsRef<[u8]>,
        value: Option<&[u8]>,
    ) -> Result<(), FstabEditError> {
        let name = name.as_ref();
        let entry = self.entry_for_edit(line, name)?;
        let unwritable = |text: &[u8]| text.iter().any(|byte| matches!(byte, b',' | b'"'));
        if name.is_empty() || name.contains(&b'=') || unwritable(name) || value.is_some_and(unwritable) {
            let file = Arc::clone(&entry.file);
            return Err(FstabEditError::Unwritable { file, line, option: shown(name) });
        }
        let mut text = escape_octal(name);
        if let Some(value) = value {
            text.push(b'=');
            text.extend(escape_octal(value));
        }
        let (span, replacement) = match (entry.option(name), entry.options_span) {
            (Some(option), _) => (option.span, text),
            (None, Some(field)) if field.is_empty() => (field, text),
            (None, Some(field)) => (Span::new(field.end, field.end), [b",", text.as_slice()].concat()),
            (None, None) => (Span::new(entry.span.end, entry.span.end), [b" ", text.as_slice()].concat()),
        };
        let file = Arc::clone(&entry.file);
        let edited = self.replaced(span, &replacement)?;
        let read_back = edited.entry_at(line).and_then(|entry| entry.option(name));
        if read_back.is_none_or(|option| option.value.as_deref() != value) {
            return Err(FstabEditError::UnclosedQuote { file, line, option: shown(name) });
        }
        *self = edited;
        Ok(())
    }

    /// Removes every option of this name from the entry on a line, and tells how many there were.
    ///
    /// When nothing is left the field becomes `defaults`, since the fields after it need one before them.
    ///
    /// # Errors
    ///
    /// No entry on the line.
    pub fn remove_option(&mut self, line: usize, name: impl AsRef<[u8]>) -> Result<usize, FstabEditError> {
        let name = name.as_ref();
        let entry = self.entry_for_edit(line, name)?;
        let kept: Vec<&[u8]> = entry
            .options
            .iter()
            .filter(|option| option.name != name)
            .map(|option| option.span.of(self.as_bytes()))
            .collect();
        let removed = entry.options.len().saturating_sub(kept.len());
        let Some(field) = entry.options_span.filter(|_| removed > 0) else { return Ok(0) };
        let text = if kept.is_empty() { b"defaults".to_vec() } else { kept.join(&b',') };
        *self = self.replaced(field, &text)?;
        Ok(removed)
    }

    fn entry_for_edit(&self, line: usize, name: &[u8]) -> Result<&MountEntry, FstabEditError> {
        self.entry_at(line).ok_or_else(|| FstabEditError::NoEntry {
            file: Arc::clone(self.document().file()),
            line,
            option: shown(name),
        })
    }

    fn replaced(&self, span: Span, text: &[u8]) -> Result<Self, DocumentError> {
        let mut document = self.document.clone();
        document.replace(span, text)?;
        Ok(Self::from_document(document, self.dialect))
    }
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Writes blanks, control characters, backslashes and `#` as the three octal digits that reading undoes.
fn escape_octal(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0..=b' ' | b'\\' | b'#' => {
                out.extend([b'\\', b'0' + (byte >> 6), b'0' + ((byte >> 3) & 7), b'0' + (byte & 7)]);
            }
            other => out.push(*other),
        }
    }
    out
}
