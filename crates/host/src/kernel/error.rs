//! Why the kernel did not answer.

use std::io;

use rustix::io::Errno;

/// Says why a question put to the live kernel has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The kernel, its configuration or the driver has no such interface.
    #[error("{query}: not supported by this kernel or driver")]
    Unsupported {
        /// What was asked.
        query: String,
    },
    /// The kernel refused for lack of a capability.
    #[error("{query}: permission denied; run as root, or with CAP_NET_ADMIN in this network namespace")]
    Permission {
        /// What was asked.
        query: String,
    },
    /// The kernel would have loaded a module to answer, and the caller did not allow that.
    #[error("{query}: the kernel would load module {module}; load it yourself, or allow loading")]
    WouldLoadModule {
        /// What would have been asked.
        query: String,
        /// The module's name as in `/proc/modules`.
        module: String,
    },
    /// The answer does not have the documented shape.
    #[error("{query}: malformed answer at byte {offset}; please report this with the kernel's version")]
    Malformed {
        /// What was asked.
        query: String,
        /// Byte of the datagram (or text, or ioctl buffer) where reading stopped.
        offset: usize,
    },
    /// Any other failure of the system call or of the request.
    #[error("{query}: {source}")]
    Io {
        /// What was asked.
        query: String,
        /// The operating system's error.
        source: io::Error,
    },
}

impl KernelError {
    /// Sorts an errno: missing interfaces and missing capabilities have variants of their own.
    ///
    /// `ENOENT` is what `sock_diag` answers when no handler is registered for the family
    /// (kernel `net/core/sock_diag.c`).
    pub(super) fn from_errno(query: &str, errno: Errno) -> Self {
        let query = query.to_owned();
        match errno {
            Errno::OPNOTSUPP | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT | Errno::NOENT | Errno::NOSYS => {
                Self::Unsupported { query }
            }
            Errno::PERM | Errno::ACCESS => Self::Permission { query },
            errno => Self::Io { query, source: errno.into() },
        }
    }

    pub(super) fn malformed(query: &str, offset: usize) -> Self {
        Self::Malformed { query: query.to_owned(), offset }
    }
}
