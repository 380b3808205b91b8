//! Helper processes: plain `fork` without `exec`.
//!
//! A process, unlike a thread, can be killed whatever it is blocked in, lives wholly in its own namespaces, and shows
//! in `/proc` as a program of its own. Forking needs no second binary and no hidden entry point among the tests. Its price is
//! a rule: the test binary has many threads, so until it exits the child may only make system calls over memory
//! that was prepared before the fork (signal-safety(7)): **no allocation, no lock, no formatting, no panic**.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};
use rustix::thread::{NanosleepRelativeResult, Timespec};

use super::{Attempt, FaultError, Result};

/// The exit status of a child whose body unwound, which no errno of Linux reaches (the largest is 133).
const PANICKED: i32 = 200;

/// A forked process, killed and reaped when dropped; the kernel kills it too if the thread that forked it ends.
pub struct Child {
    name: &'static CStr,
    pid: Pid,
}

impl Child {
    /// Forks a process that enters the namespaces `enter`, closes every descriptor but `keep`, and runs `body`.
    ///
    /// `body` must keep to the rule of this module. An error it returns becomes the exit status, reported by
    /// [`Child::check_alive`]. `name` (at most 15 bytes) is what `/proc/PID/comm` shows.
    pub fn fork(
        name: &'static CStr,
        enter: &[BorrowedFd<'_>],
        keep: &[BorrowedFd<'_>],
        body: impl FnOnce() -> rustix::io::Result<()>,
    ) -> Result<Self> {
        fork_with(name, enter, keep, Life::OfTheForkingThread, body)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Fails, saying why, if the process has ended: no helper ends by itself.
    pub fn check_alive(&self) -> Result<()> {
        match waitpid(Some(self.pid), WaitOptions::NOHANG) {
            Ok(None) => Ok(()),
            Ok(Some((_, status))) => {
                Err(FaultError::new(format!("helper {:?} ended: {}", self.name, explain(status))))
            }
            Err(errno) => Err(FaultError::new(format!("helper {:?} is gone: {errno}", self.name))),
        }
    }

    /// Waits for the end of a process that ends by itself.
    fn reap(&self) {
        while matches!(waitpid(Some(self.pid), WaitOptions::empty()), Err(Errno::INTR)) {}
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.check_alive().is_ok() && kill_process(self.pid, Signal::KILL).is_ok() {
            self.reap();
        }
    }
}

/// Undoes a change of the machine if the test process dies before its guards could run (killed, aborted, Ctrl-C).
///
/// Dropping it calls the undoing off: the regular guard does that work, and is dropped first.
pub struct LastWill {
    executor: Child,
    alive: Option<OwnedFd>,
}

impl LastWill {
    /// Forks a process that outlives this one just long enough to run `undo`, under the rule of this module.
    pub fn write(keep: &[BorrowedFd<'_>], undo: impl FnOnce()) -> Result<Self> {
        let (reader, writer) =
            pipe_with(PipeFlags::CLOEXEC).attempt(|| "make a pipe to watch the test process".to_owned())?;
        let mut kept = keep.to_vec();
        let watched = reader.as_fd();
        kept.push(watched);
        let executor = fork_with(c"last-will", &[], &kept, Life::OfItsOwn, || {
            let mut called_off = [0_u8; 1];
            if rustix::io::read(watched, &mut called_off)? == 0 {
                undo();
            }
            Ok(())
        })?;
        Ok(Self { executor, alive: Some(writer) })
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if let Some(alive) = self.alive.take()
            && rustix::io::write(&alive, b".").is_ok()
        {
            self.executor.reap();
        }
    }
}

/// Spaces the steps of a helper, to bound its rate.
pub fn pace(interval: Duration) {
    let mut left =
        Timespec { tv_sec: interval.as_secs().cast_signed(), tv_nsec: interval.subsec_nanos().into() };
    while let NanosleepRelativeResult::Interrupted(rest) = rustix::thread::nanosleep(&left) {
        left = rest;
    }
}

/// Sleeps until killed.
pub fn sleep_forever() -> ! {
    loop {
        pace(Duration::from_secs(3600));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    OfTheForkingThread,
    OfItsOwn,
}

/// Ends the child whatever happens in it, so that it never returns into the test harness.
struct ExitAnyway;

impl Drop for ExitAnyway {
    fn drop(&mut self) {
        // SAFETY: ends the process without running anything of the parent's.
        unsafe { libc::_exit(PANICKED) }
    }
}

fn fork_with(
    name: &'static CStr,
    enter: &[BorrowedFd<'_>],
    keep: &[BorrowedFd<'_>],
    life: Life,
    body: impl FnOnce() -> rustix::io::Result<()>,
) -> Result<Child> {
    let null = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .attempt(|| "open /dev/null for a helper".to_owned())?;
    let gaps = descriptors_to_close(keep);
    let parent = rustix::process::getpid();
    // SAFETY: the child makes system calls only, over memory prepared above (the rule of this module).
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()).attempt(|| format!("fork helper {name:?}")),
        0 => {
            let _exit_anyway = ExitAnyway;
            let outcome = settle(name, enter, null.as_raw_fd(), &gaps, life, parent).and_then(|()| body());
            let status = outcome.err().map_or(0, Errno::raw_os_error);
            // SAFETY: as in `ExitAnyway`.
            unsafe { libc::_exit(status) }
        }
        pid => {
            let pid = Pid::from_raw(pid).ok_or_else(|| FaultError::new("fork returned no process id"))?;
            Ok(Child { name, pid })
        }
    }
}

/// Detaches a fresh child from what it inherited.
fn settle(
    name: &CStr,
    enter: &[BorrowedFd<'_>],
    null: RawFd,
    gaps: &[(u32, u32)],
    life: Life,
    parent: Pid,
) -> rustix::io::Result<()> {
    match life {
        Life::OfItsOwn => drop(rustix::process::setsid()?),
        Life::OfTheForkingThread => {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            if rustix::process::getppid() != Some(parent) {
                return Err(Errno::SRCH);
            }
        }
    }
    rustix::thread::set_name(name)?;
    for namespace in enter {
        rustix::thread::move_into_link_name_space(*namespace, None)?;
    }
    for standard in 0..=2 {
        // SAFETY: plain system calls on descriptors of this process, which nobody else uses any more.
        if unsafe { libc::dup2(null, standard) } < 0 {
            return Err(Errno::IO);
        }
    }
    for (first, last) in gaps {
        // SAFETY: as above; the descriptors that `body` uses are outside of the gaps.
        if unsafe { libc::syscall(libc::SYS_close_range, *first, *last, 0_u32) } < 0 {
            return Err(Errno::BADF);
        }
    }
    Ok(())
}

/// Lists the ranges above standard error that lie between the kept descriptors: an inherited copy of another test's
/// socket or pipe would keep it open.
fn descriptors_to_close(keep: &[BorrowedFd<'_>]) -> Vec<(u32, u32)> {
    let mut kept: Vec<u32> = keep.iter().map(|fd| fd.as_raw_fd().cast_unsigned()).collect();
    kept.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = 3;
    for fd in kept {
        if fd > next {
            gaps.push((next, fd - 1));
        }
        next = next.max(fd + 1);
    }
    gaps.push((next, u32::MAX));
    gaps
}

fn explain(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(PANICKED), _) => "it panicked".to_owned(),
        (Some(0), _) => "it left its loop".to_owned(),
        (Some(errno), _) => Errno::from_raw_os_error(errno).to_string(),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => format!("{status:?}"),
    }
}
