//! The calls of ptrace(2) and waitpid(2).

use std::mem::MaybeUninit;

/// Why a traced process stopped.
pub(super) enum Stop {
    /// It is no more.
    Ended,
    /// At the begin or the end of a system call.
    AtCall,
    /// A signal is about to reach it.
    Signal(u64),
    /// It was stopped by somebody (SIGSTOP), and shall stay so.
    HeldByShell,
    /// ptrace's own stop.
    Other,
}

/// What a stop at a call says.
pub(super) enum Info {
    Entry { number: u64, arguments: [u64; 6] },
    Exit { result: i64 },
}

/// How long to wait for a stop before looking at the clock again.
const TICK_NS: libc::c_long = 20_000_000;

/// One request; that the process is gone already is no error, as waitpid(2) says so next.
pub(super) fn ptrace(request: libc::c_uint, pid: libc::pid_t, address: u64, data: u64) {
    // SAFETY: the requests used here take numbers, or addresses of memory that lives over the call.
    unsafe { libc::ptrace(request, pid, address, data) };
}

/// Begins to trace a process, which stops as soon as it can.
pub(super) fn seize(pid: libc::pid_t) -> Result<(), i32> {
    let options = u64::from(libc::PTRACE_O_TRACESYSGOOD.cast_unsigned());
    // SAFETY: two numbers. Without PTRACE_O_EXITKILL the process outlives the tracer.
    if unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0_u64, options) } == -1 {
        return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EPERM));
    }
    ptrace(libc::PTRACE_INTERRUPT, pid, 0, 0);
    Ok(())
}

/// Lets a stopped process go, with the signal that was about to reach it.
pub(super) fn detach(pid: libc::pid_t, status: i32) {
    let signal = match kind(status) {
        Stop::Signal(signal) => signal,
        _ => 0,
    };
    ptrace(libc::PTRACE_DETACH, pid, 0, signal);
}

/// The next traced process of this thread that has stopped, if there is one.
pub(super) fn stopped() -> Option<(libc::pid_t, i32)> {
    let mut status = 0;
    // SAFETY: writes one integer.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

pub(super) fn kind(status: i32) -> Stop {
    if !libc::WIFSTOPPED(status) {
        return Stop::Ended;
    }
    let signal = libc::WSTOPSIG(status);
    match (status >> 16, signal) {
        (libc::PTRACE_EVENT_STOP, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => {
            Stop::HeldByShell
        }
        (0, signal) if signal == libc::SIGTRAP | 0x80 => Stop::AtCall,
        (0, signal) => Stop::Signal(u64::from(signal.cast_unsigned())),
        _ => Stop::Other,
    }
}

fn child_signal() -> libc::sigset_t {
    // SAFETY: the set is initialised by sigemptyset before it is read, and is plain data.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        set
    }
}

/// Holds the signal that tells of stops back in this thread, so that it can be waited for.
pub(super) fn hold_back_stops() {
    let set = child_signal();
    // SAFETY: reads a live set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
}

/// Waits until a process has stopped, or a moment.
pub(super) fn wait_for_a_stop() {
    let set = child_signal();
    let tick = libc::timespec { tv_sec: 0, tv_nsec: TICK_NS };
    // SAFETY: reads a live set and a live time.
    unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const tick) };
}

/// What the kernel says of a stop at a call (PTRACE_GET_SYSCALL_INFO, Linux 5.3).
pub(super) fn info(pid: libc::pid_t) -> Option<Info> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>() as u64;
    // SAFETY: the kernel writes at most `size` bytes into a value of that size.
    let written = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) };
    if written <= 0 {
        return None;
    }
    // SAFETY: integers only, zeroed, and filled by the kernel.
    let info = unsafe { info.assume_init() };
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: the kernel says that it filled this variant.
            let entry = unsafe { info.u.entry };
            Some(Info::Entry { number: entry.nr, arguments: entry.args })
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: as above.
            let exit = unsafe { info.u.exit };
            Some(Info::Exit { result: exit.sval })
        }
        _ => None,
    }
}
