use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, wait};
use rustix::thread::UnshareFlags;

use super::child::{Child, pace, sleep_forever};
use super::shared::{Atomics, Shared};
use super::tools::{NSENTER, require_root};
use super::wait::wait_until;
use super::{Attempt, FaultError, Result};

/// A mount namespace of its own: what is mounted in it is seen by nobody else and goes with its last process.
pub struct MountNamespace {
    holder: Child,
    entrance: OwnedFd,
    /// Whether what is started in it sees only the processes of this namespace.
    processes: bool,
}

/// How often the first process of a namespace looks for processes that ended and that nobody waits for.
const REAPED_EVERY: std::time::Duration = std::time::Duration::from_millis(10);

struct Progress {
    ready: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Progress {}

impl MountNamespace {
    /// Makes one that is a private copy of this process’s.
    pub fn create() -> Result<Self> {
        Self::create_with(UnshareFlags::empty())
    }

    /// The same, with processes of its own: what is started in it sees no others, and all of them end with it.
    pub fn create_with_processes() -> Result<Self> {
        Self::create_with(UnshareFlags::NEWPID)
    }

    fn create_with(more: UnshareFlags) -> Result<Self> {
        require_root()?;
        let processes = more.contains(UnshareFlags::NEWPID);
        let progress = Shared::<Progress>::new()?;
        let holder = Child::fork(c"mount-holder", &[], &[], || {
            // SAFETY: this process has one thread and shares no file descriptors.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | more)? };
            mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            if processes {
                // SAFETY: this process has one thread, and its child makes system calls only.
                match unsafe { libc::fork() } {
                    0 => be_the_first(&progress.ready)?,
                    -1 => return Err(rustix::io::Errno::AGAIN),
                    _ => {}
                }
            } else {
                progress.ready.store(1, Relaxed);
            }
            sleep_forever();
        })?;
        wait_until("a mount namespace", || {
            holder.check_alive()?;
            Ok(progress.ready.load(Relaxed) == 1)
        })?;
        let path = format!("/proc/{}/ns/mnt", holder.pid());
        let entrance = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .attempt(|| format!("open {path}"))?;
        Ok(Self { holder, entrance, processes })
    }

    /// A descriptor to enter the namespace by (setns(2)).
    pub fn entrance(&self) -> BorrowedFd<'_> {
        self.entrance.as_fd()
    }

    /// Prepares `program` (an absolute path) to run in the namespace, with `/` as its working directory.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(NSENTER.program);
        command.args(self.nsenter_options()).arg("--").arg(program);
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

    /// All options of nsenter(1) that it takes to be in it.
    pub fn nsenter_options(&self) -> Vec<String> {
        let processes = format!("--pid=/proc/{}/ns/pid_for_children", self.holder());
        [self.nsenter_option()].into_iter().chain(self.processes.then_some(processes)).collect()
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

/// The life of the first process of a namespace of processes, which everyone without a parent becomes the child of.
fn be_the_first(ready: &AtomicU64) -> rustix::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    mount(c"proc", c"/proc", c"proc", MountFlags::empty(), None)?;
    ready.store(1, Relaxed);
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => pace(REAPED_EVERY),
        }
    }
}
