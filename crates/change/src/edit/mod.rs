//! Edits of configuration files, each by the grammar of its file. Pure.

mod block;
mod fstab;
mod haproxy;
mod line;
mod nginx;
mod php_constant;
mod settings;
mod shell_variable;
mod sysctl;

use std::collections::BTreeMap;
use std::fmt::Display;

use conf::SettingsDialect;
use model::Edit;
use settings::Place;

use crate::{ChangeError, Contents, FileState};

/// The bytes of a file after an edit. What the edit does not name stays as it is, to the byte.
///
/// # Errors
/// When the edit does not apply to what is there, or its value cannot be written in the file's grammar.
pub fn edited(path: &str, bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, ChangeError> {
    match edit {
        Edit::Sysctl { key, value, line } => sysctl::edited(path, bytes, key, value.as_deref(), *line),
        Edit::Fstab { mount_point, option, to } => fstab::edited(path, bytes, mount_point, option, to),
        Edit::ShellVariable { name, add_words } => shell_variable::edited(path, bytes, name, add_words),
        Edit::Block { name, lines } => block::edited(path, bytes, name, lines.as_deref()),
        Edit::Line { line, present } => line::edited(path, bytes, line, *present),
        Edit::Ini { section, key, value } => {
            let place = Place { dialect: SettingsDialect::Ini, section: section.as_deref(), key };
            settings::edited(path, bytes, &place, value.as_deref())
        }
        Edit::OptionFile { group, option, value } => {
            let place = Place { dialect: SettingsDialect::OptionFile, section: Some(group), key: option };
            settings::edited(path, bytes, &place, value.as_deref())
        }
        Edit::Systemd { section, key, value } => {
            let place = Place { dialect: SettingsDialect::Systemd, section: Some(section), key };
            settings::edited(path, bytes, &place, value.as_deref())
        }
        Edit::PhpConstant { name, value } => php_constant::edited(path, bytes, name, value.as_deref()),
        Edit::Nginx { block, directive, first_argument, to } => {
            nginx::edited(path, bytes, block, (directive, first_argument.as_deref()), to)
        }
        Edit::Haproxy { section, keyword, arguments } => {
            haproxy::edited(path, bytes, section, keyword, arguments.as_deref())
        }
    }
}

/// The bytes of a file after several edits, one after the other.
pub(crate) fn edited_by_all(path: &str, bytes: &[u8], edits: &[Edit]) -> Result<Vec<u8>, ChangeError> {
    edits.iter().try_fold(bytes.to_vec(), |bytes, edit| edited(path, &bytes, edit))
}

/// A new file with what the edits put in, below a line that says whose it is; root's and readable by all. `None` when
/// the edits only take out.
pub(crate) fn new_file(path: &str, edits: &[Edit]) -> Result<Option<FileState>, ChangeError> {
    let comment = if edits.iter().any(|edit| matches!(edit, Edit::Ini { .. })) { ';' } else { '#' };
    let head = format!("{comment} Written by narrows; `narrows undo` takes it out again.\n");
    let bytes = edited_by_all(path, head.as_bytes(), edits)?;
    Ok((bytes != head.as_bytes()).then(|| FileState {
        contents: Contents(bytes),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: FileState::MODIFIED_BY_WRITING,
        attributes: BTreeMap::new(),
        links: 0,
    }))
}

fn attempted(path: &str, what: &str) -> String {
    format!("edit {what} in {path}")
}

/// The error of an editor, which names the file itself.
fn failed(path: &str, what: &str, error: &dyn Display) -> ChangeError {
    let error = error.to_string();
    let why = error.split_once(&format!(" in {path}: ")).map_or(error.as_str(), |(_, why)| why);
    ChangeError::new(attempted(path, what), why)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
