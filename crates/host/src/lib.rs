//! The only code that touches a machine to read it.
//!
//! A [`Host`] answers questions: the bytes of a file, the names in a directory, the target of a link, and what the
//! kernel says over netlink where it has no file. A cause is never handed one, so that it cannot open a file.
#![allow(clippy::disallowed_methods, reason = "this crate is the one that may read a machine")]

mod ask;
mod error;
mod folder;
mod foreign;
pub mod kernel;
mod links;
mod live;
mod local;
mod question;
mod recorder;
mod redact;
pub mod text;
pub mod trace;
mod tree;

pub use database::Table as SqlTable;
pub use error::HostError;
pub use folder::{FolderEntry, Kind};
pub use foreign::FILE_DEADLINE;
pub use links::linked_path;
pub use live::LiveHost;
pub use local::{LocalFile, read_local, read_local_file, write_local};
pub use question::Question;
pub use recorder::{Recorded, Recorder};
pub use redact::is_secret_option;
pub use tree::{Tree, TreeHost};

use kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};

/// The most that is read of one file, in bytes. `/proc/interrupts` of 512 CPUs is below 4 MiB.
pub const FILE_LIMIT_BYTES: usize = 64 << 20;

/// When something was read.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Clock {
    /// Seconds by a clock that never steps (`CLOCK_MONOTONIC`, or `/proc/uptime` in a tree).
    pub monotonic_s: f64,
    /// Seconds since 1970 by the wall clock, which may step.
    pub unix_s: Option<f64>,
}

/// Where facts are read from: this machine, or a tree laid out as `/`, at one instant.
pub trait Host: Send + Sync {
    /// The bytes of a file, appended to a buffer that the caller reuses.
    ///
    /// # Errors
    /// Every failure is a [`HostError`] that names the path.
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError>;

    /// The names in a directory, sorted, without `.` and `..`.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn list(&self, path: &str) -> Result<Vec<String>, HostError>;

    /// The names in a directory with what each is, sorted by name. Costs no more than [`Host::list`]: the kinds are those that
    /// the file system tells with the names, and links are not followed.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn list_kinds(&self, path: &str) -> Result<Vec<FolderEntry>, HostError> {
        let names = self.list(path)?.into_iter();
        Ok(names.map(|name| FolderEntry { name, kind: Kind::Unknown }).collect())
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn link(&self, path: &str) -> Result<String, HostError>;

    /// What time it is on the host.
    fn clock(&self) -> Clock;

    /// Whether the host is read with root's rights; `None` when that is not known, as in a tree.
    fn is_root(&self) -> Option<bool>;

    /// Every listening TCP and Unix stream socket of the network namespace.
    ///
    /// # Errors
    /// When the kernel has no `sock_diag` interface or the tree holds no answer.
    fn listeners(&self) -> Result<Vec<Listener>, HostError>;

    /// TCP sockets grouped by destination and service, with `tcp_info` sums.
    ///
    /// `ephemeral` is the local port range, both ends included.
    ///
    /// # Errors
    /// As [`Host::listeners`].
    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError>;

    /// Every queueing discipline.
    ///
    /// # Errors
    /// As [`Host::listeners`].
    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError>;

    /// Every network interface.
    ///
    /// # Errors
    /// As [`Host::listeners`].
    fn links(&self) -> Result<Vec<Link>, HostError>;

    /// What the driver of an interface says of itself.
    ///
    /// # Errors
    /// As [`Host::listeners`].
    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError>;

    /// The last bytes of a file, at most so many: the end of a log. The first of them may lie within a line.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn read_end(&self, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        let mut bytes = self.read(path)?;
        let from = bytes.len().saturating_sub(most_bytes);
        bytes.drain(..from);
        Ok(bytes)
    }

    /// Asks a service of the host something that only it can answer. In a tree the answer is a file.
    ///
    /// # Errors
    /// When it does not answer within the question's deadline, or the tree holds no answer.
    fn ask(&self, question: &Question) -> Result<Vec<u8>, HostError> {
        self.read(&question.place())
    }

    /// Database servers that the user named, beside those that run here: a socket or `ADDRESS:PORT` each.
    fn named_databases(&self) -> Vec<String> {
        let recorded = self.read("/.narrows/databases.json").unwrap_or_default();
        serde_json::from_slice(&recorded).unwrap_or_default()
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn read(&self, path: &str) -> Result<Vec<u8>, HostError> {
        let mut buffer = Vec::new();
        self.read_into(path, &mut buffer)?;
        Ok(buffer)
    }

    /// A file of one short value, trimmed, as text; invalid UTF-8 is replaced.
    ///
    /// # Errors
    /// As [`Host::read_into`].
    fn value(&self, path: &str) -> Result<String, HostError> {
        Ok(String::from_utf8_lossy(&self.read(path)?).trim().to_owned())
    }
}

/// The CPU time that the calling thread has used (`CLOCK_THREAD_CPUTIME_ID` of clock_gettime(2)).
pub fn thread_cpu_time() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = std::time::Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + std::time::Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Reads an open file to its end, or to a limit, appending to a buffer.
pub(crate) fn read_all(
    path: &str,
    file: impl rustix::fd::AsFd,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), HostError> {
    let start = buffer.len();
    loop {
        if buffer.capacity() - buffer.len() < 4096 {
            buffer.reserve(buffer.len().clamp(8 << 10, 1 << 20));
        }
        match rustix::io::read(&file, rustix::buffer::spare_capacity(buffer)) {
            Ok(0) => return Ok(()),
            Ok(_) if buffer.len() - start >= limit => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(HostError::from_errno(path, errno.raw_os_error())),
        }
    }
}
