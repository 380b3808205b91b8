use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;

use super::child::{Child, sleep_forever};
use super::shared::{Atomics, Shared};
use super::tools::{NSENTER, require_root};
use super::wait::wait_until;
use super::{Attempt, FaultError, Result};

/// A mount namespace of its own: what is mounted in it is seen by nobody else and goes with its last process.
pub struct MountNamespace {
    holder: Child,
    entrance: OwnedFd,
}

struct Progress {
    ready: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Progress {}

impl MountNamespace {
    /// Makes one that is a private copy of this process’s.
    pub fn create() -> Result<Self> {
        require_root()?;
        let progress = Shared::<Progress>::new()?;
        let holder = Child::fork(c"mount-holder", &[], &[], || {
            // SAFETY: this process has one thread and shares no file descriptors.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS)? };
            mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            progress.ready.store(1, Relaxed);
            sleep_forever();
        })?;
        wait_until("a mount namespace", || {
            holder.check_alive()?;
            Ok(progress.ready.load(Relaxed) == 1)
        })?;
        let path = format!("/proc/{}/ns/mnt", holder.pid());
        let entrance = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .attempt(|| format!("open {path}"))?;
        Ok(Self { holder, entrance })
    }

    /// A descriptor to enter the namespace by (setns(2)).
    pub fn entrance(&self) -> BorrowedFd<'_> {
        self.entrance.as_fd()
    }

    /// Prepares `program` (an absolute path) to run in the namespace, with `/` as its working directory.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(NSENTER.program);
        command.arg(self.nsenter_option()).arg("--").arg(program);
        command
    }

    /// The process that keeps it.
    pub fn holder(&self) -> u32 {
        self.holder.pid()
    }

    /// The option of nsenter(1) that enters the namespace.
    pub fn nsenter_option(&self) -> String {
        format!("--mount=/proc/{}/ns/mnt", self.holder())
    }

    /// Opens `path`, a directory, as the namespace sees it.
    pub fn open_directory(&self, path: &CStr) -> Result<OwnedFd> {
        self.run(|| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty()).attempt(|| format!("open {path:?}"))
        })
    }

    /// Runs `work` on a thread that has entered the namespace.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                // SAFETY: gives this thread a root and working directory of its own; descriptors stay shared.
                unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }
                    .and_then(|()| rustix::thread::move_into_link_name_space(self.entrance(), None))
                    .attempt(|| "enter a mount namespace".to_owned())?;
                work()
            });
            worker.join().map_err(|_| FaultError::new("work in a mount namespace panicked"))?
        })
    }
}
