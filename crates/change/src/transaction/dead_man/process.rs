//! A dead man that is a process of its own session.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, setsid};
use rustix::time::{ClockId, clock_gettime};

use super::{DeadManOrder, own_program};
use crate::ChangeError;
use crate::machine::boot_id;
use crate::transaction::{Undo, UndoOptions, undo};

/// What the dead man says once he waits.
const ARMED: u8 = b'!';
/// How long one attempt waits for another narrows to end.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long he goes on trying where the undo cannot begin: a full disk, a narrows that was stopped.
const PERSEVERANCE: Duration = Duration::from_secs(24 * 3600);
/// How long he waits between two attempts.
const PAUSE: Duration = Duration::from_secs(5);

/// Starts the process, and waits until it says that it waits.
pub(super) fn arm(order: &DeadManOrder) -> Result<(u32, u64), ChangeError> {
    let attempted = "arm the dead man who would undo this";
    let mut command = Command::new(own_program()?);
    command
        .arg("dead-man")
        .arg(order.id.to_string())
        .args(["--after-ms", &order.after.as_millis().to_string()])
        .arg("--state-dir")
        .arg(&order.state_directory)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // SAFETY: setsid(2), sigemptyset(3) and sigprocmask(2) are async-signal-safe (signal-safety(7)).
    unsafe {
        command.pre_exec(|| {
            setsid()?;
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|error| ChangeError::io(attempted, &error))?;
    let mut word = [0_u8];
    let said = child.stdout.take().map(|mut stdout| stdout.read_exact(&mut word));
    if !matches!(said, Some(Ok(()))) || word != [ARMED] {
        return Err(ChangeError::new(attempted, "his process ended before it waited"));
    }
    Ok((child.id(), started(child.id()).unwrap_or_default()))
}

/// Ends the process, if that number still is the one that was started.
pub(super) fn dismiss((pid, tick): (u32, u64)) {
    let own = getpid().as_raw_nonzero().get().unsigned_abs();
    if pid == own || started(pid) != Some(tick) {
        return;
    }
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// The tick at which a process started: field 22 of proc(5) `/proc/PID/stat`, the 20th behind the name.
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Waits, then undoes the transaction unless it was confirmed: the whole life of the dead man's process.
///
/// # Errors
/// As [`undo()`].
pub fn wait_and_undo(order: &DeadManOrder) -> Result<Undo, ChangeError> {
    let end = boot_time() + order.after;
    say_armed()?;
    loop {
        let left = end.saturating_sub(boot_time());
        if left.is_zero() {
            break;
        }
        // In pieces, because CLOCK_MONOTONIC, which sleep uses, stands still while the machine sleeps.
        std::thread::sleep(left.min(Duration::from_secs(10)));
    }
    undo_unless_confirmed(order.id, &order.state_directory)
}

/// Undoes a transaction unless it was confirmed, which is what a dead man does at the deadline. Where the undo cannot
/// even begin, or a database does not answer, it is tried again for a day: there is nobody else to do it.
///
/// # Errors
/// As [`undo()`], at the last attempt.
pub fn undo_unless_confirmed(id: i64, state_directory: &Path) -> Result<Undo, ChangeError> {
    let options = UndoOptions {
        state_directory: state_directory.to_owned(),
        id: Some(id),
        force: false,
        unless_confirmed: true,
        patience: PATIENCE,
        why: None,
    };
    let end = boot_time() + PERSEVERANCE;
    loop {
        let done = undo(&options);
        if boot_time() < end && may_succeed_later(&done) {
            std::thread::sleep(PAUSE);
            continue;
        }
        return done;
    }
}

/// Whether an undo could not begin, or found a server that does not answer. After a boot servers are started later, and
/// nothing is to wait for them.
fn may_succeed_later(done: &Result<Undo, ChangeError>) -> bool {
    match done {
        Err(_) => true,
        Ok(Undo::Done(outcome)) => {
            let same_boot = boot_id().is_ok_and(|boot| boot == outcome.transaction.boot_id);
            same_boot && outcome.left.iter().any(|left| left.unreachable)
        }
        Ok(_) => false,
    }
}

/// Tells whoever started this process that it waits, and lets go of the pipe.
fn say_armed() -> Result<(), ChangeError> {
    let failed = |error: std::io::Error| ChangeError::io("say that the dead man waits", &error);
    let null = std::fs::File::options().write(true).open("/dev/null").map_err(failed)?;
    rustix::io::write(rustix::stdio::stdout(), &[ARMED]).map_err(|errno| failed(errno.into()))?;
    rustix::stdio::dup2_stdout(&null).map_err(|errno| failed(errno.into()))
}

fn boot_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
