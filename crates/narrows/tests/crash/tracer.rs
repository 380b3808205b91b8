//! Runs a program under ptrace(2) and kills it, or fails it, right before a system call of choice.
//!
//! The product has no hook for this. Calls are counted over all threads of the process, in the order in which they
//! enter the kernel; strace(1) counts each thread apart, so it cannot stop at the third write of a thread that is
//! started after the first. Children that are processes of their own run on untraced and unharmed.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long};
use std::io::{Read, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::system_calls::{changes_something, needs_a_disk};
use crate::faults::{Attempt, FaultError, Result};

/// A process that has not ended by then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is done to the process.
#[derive(Clone, Copy)]
pub(crate) enum Interference<'a> {
    /// Nothing: it is not even traced.
    None,
    /// Its changes are counted.
    Count,
    /// It is killed right before this change, from 1.
    KillBefore(usize),
    /// It is held right before this change while something else is done.
    Meanwhile(usize, &'a (dyn Fn() -> Result<()> + Sync)),
    /// The disk refuses one change, or from that one all, with this errno.
    Refuse { change: usize, and_all_after: bool, errno: c_int },
}

/// How a process ended.
pub(crate) struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Calls that change something which it began, as the interference counts them.
    pub(crate) changes: usize,
    /// Whether the interference came to pass.
    pub(crate) interfered: bool,
    /// Standard output and standard error, as written.
    pub(crate) said: String,
}

/// Runs a prepared command to its end.
pub(crate) fn run(command: &mut Command, interference: Interference<'_>) -> Result<Ended> {
    // A thread of its own: waitpid(2) with __WNOTHREAD then reports nothing but this process.
    thread::scope(|scope| {
        let tracer = scope.spawn(|| trace(command, interference));
        tracer.join().map_err(|_| FaultError::new("the tracer panicked"))?
    })
}

fn trace(command: &mut Command, interference: Interference<'_>) -> Result<Ended> {
    // A file, as a pipe would have to be emptied meanwhile.
    let mut said = tempfile::tempfile().attempt(|| "make a file for what is said".into())?;
    let copy = || said.try_clone().map(Stdio::from).attempt(|| "copy a descriptor".into());
    command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
    if !matches!(interference, Interference::None) {
        // SAFETY: one system call between fork and exec.
        unsafe {
            command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
                -1 => Err(std::io::Error::last_os_error()),
                _ => Ok(()),
            })
        };
    }
    let child = command.spawn().attempt(|| format!("start {command:?}"))?;
    let main = child.id().cast_signed();
    let (done, ended) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let hangs = ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            kill(main);
        }
        hangs
    });
    let mut tracer = Tracer { main, interference, changes: 0, interfered: false, refused: BTreeMap::new() };
    let status = tracer.follow();
    drop(done);
    let hung = watch.join().unwrap_or(false);
    let mut text = Vec::new();
    said.seek(SeekFrom::Start(0))
        .and_then(|_| said.read_to_end(&mut text))
        .attempt(|| "read what was said".into())?;
    let text = String::from_utf8_lossy(&text).into_owned();
    if hung {
        return Err(FaultError::new(format!("{command:?} hangs: {text}")));
    }
    let status = status?;
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    Ok(Ended { code, changes: tracer.changes, interfered: tracer.interfered, said: text })
}

struct Tracer<'a> {
    main: libc::pid_t,
    interference: Interference<'a>,
    changes: usize,
    interfered: bool,
    /// Threads in a call that was made void, and the errno it shall return.
    refused: BTreeMap<libc::pid_t, c_int>,
}

impl Tracer<'_> {
    /// Follows all threads until the process has ended.
    fn follow(&mut self) -> Result<c_int> {
        let mut known = vec![];
        loop {
            let mut status = 0;
            // SAFETY: writes one integer.
            let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD) };
            if thread < 0 {
                return Err(std::io::Error::last_os_error()).attempt(|| "wait for a traced process".into());
            }
            if !libc::WIFSTOPPED(status) {
                if thread == self.main {
                    return Ok(status);
                }
                continue;
            }
            let new = !known.contains(&thread);
            let signal = match libc::WSTOPSIG(status) {
                _ if status >> 16 != 0 => 0,
                signal if signal == libc::SIGTRAP | 0x80 => {
                    self.at_a_call(thread)?;
                    0
                }
                // The first stop of the program, and of each new thread, is ptrace's own.
                libc::SIGTRAP | libc::SIGSTOP if new => 0,
                signal => signal,
            };
            if new {
                known.push(thread);
                let options =
                    libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_TRACEEXEC;
                ptrace(libc::PTRACE_SETOPTIONS, thread, 0, options.cast_unsigned().into());
            }
            ptrace(libc::PTRACE_SYSCALL, thread, 0, signal.cast_unsigned().into());
        }
    }

    fn at_a_call(&mut self, thread: libc::pid_t) -> Result<()> {
        let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let size = size_of_val(&info);
        ptrace(libc::PTRACE_GET_SYSCALL_INFO, thread, size as u64, info.as_mut_ptr() as u64);
        // SAFETY: integers only, zeroed, and filled by the kernel unless the process has just been killed.
        let info = unsafe { info.assume_init() };
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => {
                // SAFETY: the kernel says that it filled this variant.
                let entry = unsafe { info.u.entry };
                self.at_entry(thread, entry.nr as c_long, entry.args)
            }
            libc::PTRACE_SYSCALL_INFO_EXIT => match self.refused.remove(&thread) {
                Some(errno) => set_register(thread, Register::Result, i64::from(-errno)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn at_entry(&mut self, thread: libc::pid_t, number: c_long, arguments: [u64; 6]) -> Result<()> {
        let counts = match self.interference {
            Interference::Refuse { .. } => needs_a_disk(number, arguments),
            _ => changes_something(number, arguments),
        };
        if !counts || (self.interfered && matches!(self.interference, Interference::KillBefore(_))) {
            return Ok(());
        }
        self.changes += 1;
        match self.interference {
            Interference::KillBefore(change) if change == self.changes => {
                self.interfered = true;
                // The kernel does not begin a call of a process that is to die.
                kill(self.main);
            }
            Interference::Meanwhile(change, work) if change == self.changes => {
                self.interfered = true;
                work()?;
            }
            Interference::Refuse { change, and_all_after, errno }
                if change == self.changes || (and_all_after && self.changes > change) =>
            {
                self.interfered = true;
                self.refused.insert(thread, errno);
                set_register(thread, Register::Call, -1)?;
            }
            _ => {}
        }
        Ok(())
    }
}

enum Register {
    /// The number of the call; -1 makes it void.
    Call,
    /// What the call returns.
    Result,
}

#[cfg(target_arch = "x86_64")]
fn set_register(thread: libc::pid_t, register: Register, value: i64) -> Result<()> {
    let index = match register {
        Register::Call => libc::ORIG_RAX,
        Register::Result => libc::RAX,
    };
    let offset = u64::try_from(index * 8).attempt(|| "name a register".into())?;
    ptrace(libc::PTRACE_POKEUSER, thread, offset, value.cast_unsigned());
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn set_register(_thread: libc::pid_t, _register: Register, _value: i64) -> Result<()> {
    Err(FaultError::new(
        "calls are refused on x86-64 only: the registers of other processors are not known here",
    ))
}

/// One request; that the thread is gone already is no error, as waitpid(2) says so next.
fn ptrace(request: libc::c_uint, thread: libc::pid_t, address: u64, data: u64) {
    // SAFETY: the addresses given are of memory that the request may write.
    unsafe { libc::ptrace(request, thread, address, data) };
}

fn kill(process: libc::pid_t) {
    // SAFETY: a plain system call; the process is our child and not reaped yet.
    unsafe { libc::kill(process, libc::SIGKILL) };
}
