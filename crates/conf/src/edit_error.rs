//! What is wrong with a file, and why a setting could not be changed: for all documents that are edited by name.

use std::sync::Arc;

use thiserror::Error;

use crate::document::DocumentError;

/// A line that is not understood, or not what its author will have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
    /// Whether the program that reads the file gives up at this line.
    pub stops: bool,
}

/// Why a setting could not be changed. Nothing is changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The name or the value would not be read back as given.
    #[error("changing {setting} in {file}: {why}")]
    Unwritable {
        /// Name of the file.
        file: Arc<str>,
        /// What was to be changed.
        setting: String,
        /// What is wrong and what to give instead.
        why: &'static str,
    },
    /// The program that reads the file gives up on it, so that no edit would take effect.
    #[error(
        "changing {setting} in {file}: the file is not read past line {line}: {what}; mend that line first"
    )]
    Unreadable {
        /// Name of the file.
        file: Arc<str>,
        /// What was to be changed.
        setting: String,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with the line.
        what: &'static str,
    },
    /// What the edit is about does not stand in the file.
    #[error("changing {setting} in {file}: there is no {missing}; read the file and name what it holds")]
    Missing {
        /// Name of the file.
        file: Arc<str>,
        /// What was to be changed.
        setting: String,
        /// What was looked for.
        missing: String,
    },
    /// The edit fits several places and does not tell which is meant.
    #[error("changing {setting} in {file}: {name} stands at {places}; {how}")]
    Ambiguous {
        /// Name of the file.
        file: Arc<str>,
        /// What was to be changed.
        setting: String,
        /// What was looked for.
        name: String,
        /// The places, each as `file:line`, separated by commas.
        places: String,
        /// How to name one of them.
        how: &'static str,
    },
    /// A span was not in the document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Writes lines of a file as `file:line`, separated by commas.
pub(crate) fn places(file: &str, lines: impl IntoIterator<Item = usize>) -> String {
    let places: Vec<_> = lines.into_iter().map(|line| format!("{file}:{line}")).collect();
    places.join(", ")
}
