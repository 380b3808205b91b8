//! What a directory says of the names in it.

use serde::{Deserialize, Serialize};

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FolderEntry {
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What a name in a directory is (`d_type` of getdents64(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a socket or a pipe.
    Other,
    /// The file system does not tell.
    Unknown,
}

impl Kind {
    /// By the number that the kernel gives (`DT_REG` and its kin of dirent.h).
    pub(crate) fn of(number: u8) -> Self {
        match number {
            libc::DT_UNKNOWN => Self::Unknown,
            libc::DT_REG => Self::File,
            libc::DT_DIR => Self::Folder,
            libc::DT_LNK => Self::Link,
            _ => Self::Other,
        }
    }
}
