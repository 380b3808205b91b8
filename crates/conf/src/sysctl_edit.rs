//! Edits of one kernel parameter in a file, touching only its value or its line.

use std::sync::Arc;

use thiserror::Error;

use crate::document::{Document, DocumentError};
use crate::sysctl_d::{SysctlDocument, SysctlEntry, UnreadReason, ends_statement, is_blank};
use crate::sysctl_key::SysctlKey;

/// Longest value the kernel takes through `/proc/sys`, in bytes (sysctl.conf(5) of procps 4, NOTES).
const LONGEST_VALUE_BYTES: usize = 4096;

/// Why a kernel parameter could not be changed in a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SysctlEditError {
    /// The key cannot be written in this dialect.
    #[error("setting {key:?} in {file}: not a key of sysctl.d(5); give a name such as net.ipv4.ip_forward")]
    Key {
        /// Name of the file.
        file: Arc<str>,
        /// The key asked for.
        key: String,
    },
    /// The value cannot be written in this dialect.
    #[error(
        "setting {key} in {file}: the value has a line break, a NUL, blanks around it or more than 4096 bytes, \
         which one line of sysctl.d(5) cannot hold; give the bare value"
    )]
    Value {
        /// Name of the file.
        file: Arc<str>,
        /// The key asked for.
        key: String,
    },
    /// The reader stops before the place of the edit.
    #[error(
        "setting {key} in {file}: systemd stops reading at line {line}, which is 1 MiB or longer; shorten that \
         line first"
    )]
    LineTooLong {
        /// Name of the file.
        file: Arc<str>,
        /// The key asked for.
        key: String,
        /// The line too long to read.
        line: usize,
    },
    /// The line named by the edit does not assign the key, or something else stands on it too.
    #[error(
        "changing {key} in {file}: line {line} does not hold an assignment of it alone; read the file again"
    )]
    Line {
        /// Name of the file.
        file: Arc<str>,
        /// The key asked for.
        key: String,
        /// The line asked for.
        line: usize,
    },
    /// The span of the value was not in the document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl SysctlDocument {
    /// Sets a key, changing only the value of its last assignment, or else appending one line.
    ///
    /// A line is appended also when the last statement about the key excludes it, since only an assignment
    /// after the exclusion takes effect.
    ///
    /// # Errors
    ///
    /// A key or value that one line cannot hold, or a file systemd stops reading early; nothing is changed then.
    pub fn set(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<&SysctlEntry, SysctlEditError> {
        let (written, value) = (key.as_ref(), value.as_ref());
        let shown = String::from_utf8_lossy(written).into_owned();
        let file = Arc::clone(self.document.file());
        let key = SysctlKey::new(written);
        if !is_writable_key(written) || key.is_empty() {
            return Err(SysctlEditError::Key { file, key: shown });
        }
        if !is_writable_value(value) {
            return Err(SysctlEditError::Value { file, key: shown });
        }
        let edited = Self::from_document(self.edited(&key, written, value)?);
        let too_long = edited.unread().iter().find(|unread| unread.reason == UnreadReason::LineTooLong);
        if let Some(unread) = too_long {
            return Err(SysctlEditError::LineTooLong { file, key: shown, line: unread.line });
        }
        *self = edited;
        self.last(&key).ok_or(SysctlEditError::Key { file, key: shown })
    }

    fn edited(&self, key: &SysctlKey, written: &[u8], value: &[u8]) -> Result<Document, DocumentError> {
        let mut document = self.document.clone();
        match self.last(key).filter(|entry| entry.is_assignment()) {
            Some(entry) => document.replace(entry.value_span, value)?,
            None => document.append_line(&[written, b" = ", value].concat()),
        }
        Ok(document)
    }

    /// Sets the assignment of a key on one line, whether or not it is the one that counts.
    ///
    /// # Errors
    ///
    /// A value that one line cannot hold, or a line that does not assign the key; nothing is changed then.
    pub fn set_line(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        line: usize,
    ) -> Result<(), SysctlEditError> {
        let (written, value) = (key.as_ref(), value.as_ref());
        let (file, key) = (Arc::clone(self.document.file()), SysctlKey::new(written));
        let shown = String::from_utf8_lossy(written).into_owned();
        if !is_writable_value(value) {
            return Err(SysctlEditError::Value { file, key: shown });
        }
        let Some(entry) = self.assignments(&key).rfind(|entry| entry.line == line) else {
            return Err(SysctlEditError::Line { file, key: shown, line });
        };
        let mut document = self.document.clone();
        document.replace(entry.value_span, value)?;
        *self = Self::from_document(document);
        Ok(())
    }

    /// Takes the assignments of a key out with their whole lines: that on one line, or all.
    ///
    /// Statements that exclude the key from globs stay. Nothing changes when no line is named and none assigns it.
    ///
    /// # Errors
    ///
    /// A named line that does not assign the key, or a line on which another statement stands too; nothing is
    /// changed then.
    pub fn remove(&mut self, key: impl AsRef<[u8]>, line: Option<usize>) -> Result<(), SysctlEditError> {
        let shown = String::from_utf8_lossy(key.as_ref()).into_owned();
        let (file, key) = (Arc::clone(self.document.file()), SysctlKey::new(key));
        let found = self.assignments(&key).filter(|entry| line.is_none_or(|line| entry.line == line));
        let lines: Vec<_> = found.map(|entry| entry.line).collect();
        let shares = |entry: &&SysctlEntry| {
            lines.contains(&entry.line) && !(entry.key == key && entry.is_assignment())
        };
        let wrong = self.entries().iter().find(shares).map(|entry| entry.line);
        if let Some(line) = wrong.or(line.filter(|line| !lines.contains(line))) {
            return Err(SysctlEditError::Line { file, key: shown, line });
        }
        let indices: Vec<_> = lines.iter().map(|line| line.saturating_sub(1)).collect();
        let mut document = self.document.clone();
        document.remove_lines(&indices);
        *self = Self::from_document(document);
        Ok(())
    }

    fn assignments(&self, key: &SysctlKey) -> impl DoubleEndedIterator<Item = &SysctlEntry> {
        self.entries().iter().filter(move |entry| entry.key == *key && entry.is_assignment())
    }
}

fn has_blank_edges(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| is_blank(*byte)) || text.last().is_some_and(|byte| is_blank(*byte))
}

fn is_writable_key(key: &[u8]) -> bool {
    !matches!(key.first(), None | Some(b'-' | b'#' | b';'))
        && !has_blank_edges(key)
        && !key.iter().any(|byte| ends_statement(*byte) || *byte == b'=')
}

fn is_writable_value(value: &[u8]) -> bool {
    value.len() <= LONGEST_VALUE_BYTES
        && !has_blank_edges(value)
        && !value.iter().any(|byte| ends_statement(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# a.b = 0\na.b = 1 # c\n-a.b\nc.d = 1\r\na/b=2";

    fn edited(edit: impl Fn(&mut SysctlDocument) -> Result<(), SysctlEditError>) -> Result<String, String> {
        let mut document = SysctlDocument::new("/etc/sysctl.d/a.conf", FILE);
        edit(&mut document).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(document.as_bytes()).into_owned())
    }

    #[test]
    fn a_removed_assignment_takes_its_whole_line_along_and_exclusions_stay() {
        let all = edited(|document| document.remove("a.b", None));
        assert_eq!(all.as_deref(), Ok("# a.b = 0\n-a.b\nc.d = 1\r\n"));
        let first = edited(|document| document.remove("a/b", Some(2)));
        assert_eq!(first.as_deref(), Ok("# a.b = 0\n-a.b\nc.d = 1\r\na/b=2"));
        assert_eq!(edited(|document| document.remove("x.y", None)).as_deref(), Ok(FILE));
    }

    #[test]
    fn a_line_is_set_where_it_is_named() {
        let second = edited(|document| document.set_line("a.b", "7", 2));
        assert_eq!(second.as_deref(), Ok("# a.b = 0\na.b = 7\n-a.b\nc.d = 1\r\na/b=2"));
    }

    #[test]
    fn a_named_line_must_hold_the_key_and_nothing_else() {
        for line in [1, 3, 4, 9] {
            let error = edited(|document| document.remove("a.b", Some(line))).expect_err("another line");
            assert!(error.contains(&format!("line {line} does not hold")), "{error}");
            assert!(edited(|document| document.set_line("a.b", "7", line)).is_err());
        }
        let mut shared = SysctlDocument::new("x", &b"a.b = 1\rc.d = 2\n"[..]);
        assert!(shared.remove("a.b", None).is_err());
        assert_eq!(shared.as_bytes(), b"a.b = 1\rc.d = 2\n");
    }
}
