//! Kernel parameters as they are, and the files that set them at boot.

use std::collections::BTreeMap;

use model::Layered;
use serde::{Deserialize, Serialize};

/// Kernel parameters and the files behind them, read once per window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Current values by dotted key (`net.core.somaxconn`), blanks within a value turned to one space.
    /// The value of `net.ipv4.tcp_fastopen_key` is replaced by `zero`, `set` or `unset`.
    pub values: BTreeMap<String, String>,
    /// What the files of sysctl.d(5) set, by dotted key.
    pub persisted: Layered<Vec<Persisted>>,
    /// The mounts of fstab(5).
    pub fstab: Layered<Vec<FstabMount>>,
    /// Directories, files and lines that could not be read or understood, while the rest was.
    #[serde(default)]
    pub unread: Vec<model::Unread>,
}

/// An assignment in a file of sysctl.d(5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persisted {
    /// The dotted key.
    pub key: String,
    /// The value as written, secrets removed.
    pub value: String,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// Whether this line has no effect: a later file or line sets the key again, or the file is not read.
    pub overridden: bool,
    /// Whether the value holds what looks like a trailing comment, which sysctl.d(5) has not.
    pub comment_like: bool,
    /// Whether systemd-sysctl does not read the file at all, so that no line of it has effect at boot.
    #[serde(default)]
    pub not_read: bool,
}

/// A line of fstab(5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FstabMount {
    /// The device or export.
    pub device: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// The file system's type.
    pub filesystem: String,
    /// The options, as written.
    pub options: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl Facts {
    /// A kernel parameter as text.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// A kernel parameter of one number.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.value(key)?.parse().ok()
    }

    /// A kernel parameter of several numbers.
    pub fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        self.value(key)?.split_whitespace().map(|word| word.parse().ok()).collect()
    }

    /// Who sets a key at boot, as `file:line`: the assignment that has effect.
    pub fn owner(&self, key: &str) -> Option<String> {
        let persisted = self.persisted.facts()?;
        let last = persisted.iter().rev().find(|entry| entry.key == key && !entry.overridden)?;
        Some(format!("{}:{}", last.file, last.line))
    }
}
