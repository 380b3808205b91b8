//! What can go wrong when a host is read.

use model::Unread;

/// Why a file, a directory, a link or a kernel query gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It does not exist on this host.
    #[error("{path} does not exist")]
    NotFound {
        /// What was asked for.
        path: String,
    },
    /// The rights of the caller do not reach.
    #[error("{path} may not be read without root's rights")]
    Permission {
        /// What was asked for.
        path: String,
    },
    /// It did not answer in time and was left behind.
    #[error("{path} did not answer within {limit_ms} ms")]
    TimedOut {
        /// What was asked for.
        path: String,
        /// How long it was waited for.
        limit_ms: u64,
    },
    /// The kernel or the tree has no such interface.
    #[error("{path} is not supported here: {reason}")]
    Unsupported {
        /// What was asked for.
        path: String,
        /// What the kernel answered, or why it was not asked.
        reason: String,
    },
    /// It was read, and is not what it should be.
    #[error("{path}, line {line}, byte {byte}: wanted {wanted}")]
    Malformed {
        /// What was read.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// The byte within the file, counted from 0.
        byte: usize,
        /// What was expected there.
        wanted: String,
    },
    /// A service answered that it will not.
    #[error("{path} refused: {reason}")]
    Refused {
        /// Who was asked.
        path: String,
        /// The service's number for the error.
        code: u16,
        /// The service's words.
        reason: String,
    },
    /// Any other failure of the operating system.
    #[error("{path} could not be read: {reason}")]
    Io {
        /// What was asked for.
        path: String,
        /// The operating system's words.
        reason: String,
    },
}

impl HostError {
    /// Classifies an operating system's error number for a path.
    pub fn from_errno(path: &str, errno: i32) -> Self {
        let path = path.to_owned();
        match errno {
            libc::ENOENT | libc::ENOTDIR | libc::ESRCH => Self::NotFound { path },
            libc::EACCES | libc::EPERM => Self::Permission { path },
            libc::EOPNOTSUPP | libc::ENOSYS => Self::Unsupported { path, reason: os_text(errno) },
            _ => Self::Io { path, reason: os_text(errno) },
        }
    }

    /// Classifies an [`std::io::Error`] for a path.
    pub fn from_io(path: &str, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::from_errno(path, errno),
            None => Self::Io { path: path.to_owned(), reason: error.to_string() },
        }
    }

    /// The error as the reason why a layer was not read, with the way out.
    pub fn unread(&self) -> Unread {
        let how = match self {
            Self::NotFound { .. } => "this kernel or container does not provide it",
            Self::Permission { .. } => "run narrows as root",
            Self::TimedOut { .. } => "find the mount that hangs (`findmnt`), or unmount it with `umount -l`",
            Self::Unsupported { .. } => "a newer kernel or another driver would provide it",
            Self::Malformed { .. } => "check what wrote this file; on a live kernel, report it as a bug",
            Self::Refused { .. } => "give narrows a login that has the right to ask",
            Self::Io { .. } => "try again; the error is the operating system's",
        };
        Unread::new(self.to_string(), how)
    }
}

impl From<HostError> for Unread {
    fn from(error: HostError) -> Self {
        error.unread()
    }
}

fn os_text(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}
