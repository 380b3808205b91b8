//! `--run`: a command, measured run by run.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The least number of runs of a block, however long one takes.
pub const LEAST_RUNS: usize = 3;
/// How much of a failing command's standard error is kept, in bytes.
const TAIL: usize = 2000;
/// How long that is waited for once the command has ended: what it left running may hold the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A command line for `/bin/sh -c`, and how long a block of it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// The command line.
    pub line: String,
    /// Runs that are not counted come first, for this long and at least one.
    pub warm_up: Duration,
    /// Then runs that are counted, until this is over and there are [`LEAST_RUNS`].
    pub duration: Duration,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Wall time, in seconds, from before the shell is started to when it was waited for.
    pub seconds: f64,
    /// CPU time in user and kernel mode of the shell and all that it waited for, in seconds (getrusage(2)).
    pub cpu_s: f64,
    /// The largest resident set of any one of these processes, in bytes.
    pub peak_bytes: u64,
    /// How it failed, where it did: exit status and the end of its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Why a command could not be run at all. Runs that fail are figures, not errors.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The shell was not started, or not waited for.
    #[error("cannot {attempted}: {cause}")]
    System {
        /// What was attempted.
        attempted: &'static str,
        /// What came of it.
        cause: std::io::Error,
    },
    /// Someone said stop.
    #[error("the measurement was stopped")]
    Stopped,
}

/// The running command, so that whoever stops the measurement can end it.
#[derive(Debug, Default)]
pub struct Running {
    group: AtomicI32,
    stopped: AtomicBool,
}

impl Running {
    /// Ends the command with all that it started in its process group, and lets no other begin.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(group) = rustix::process::Pid::from_raw(self.group.load(Ordering::SeqCst)) {
            // It may have ended meanwhile.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// Runs the warm-up, calls `begin`, then runs until the block is over. `watch` gets the seconds since the start and the
/// number of runs after each.
///
/// # Errors
/// When the shell cannot be started, or somebody says stop.
pub fn run(
    spec: &CommandSpec,
    running: &Running,
    begin: &mut dyn FnMut(),
    watch: &mut dyn FnMut(f64, usize),
) -> Result<Vec<Run>, CommandError> {
    let start = Instant::now();
    loop {
        once(&spec.line, running)?;
        watch(start.elapsed().as_secs_f64(), 0);
        if start.elapsed() >= spec.warm_up {
            break;
        }
    }
    begin();
    let counted = Instant::now();
    let mut runs = Vec::new();
    while runs.len() < LEAST_RUNS || counted.elapsed() < spec.duration {
        runs.push(once(&spec.line, running)?);
        watch(start.elapsed().as_secs_f64(), runs.len());
    }
    Ok(runs)
}

fn once(line: &str, running: &Running) -> Result<Run, CommandError> {
    if running.is_stopped() {
        return Err(CommandError::Stopped);
    }
    let start = Instant::now();
    let mut child = start_shell(line)?;
    running.group.store(i32::try_from(child.id()).unwrap_or_default(), Ordering::SeqCst);
    if running.is_stopped() {
        running.stop();
    }
    let words = child.stderr.take().map(last_words);
    let ended = wait(&child);
    let seconds = start.elapsed().as_secs_f64();
    running.group.store(0, Ordering::SeqCst);
    let (status, usage) = ended?;
    if running.is_stopped() {
        return Err(CommandError::Stopped);
    }
    let failure = (!status.success()).then(|| {
        let words = words.and_then(|words| words.recv_timeout(LAST_WORDS).ok()).unwrap_or_default();
        format!("{status}: {}", words.trim()).trim_end_matches([':', ' ']).to_owned()
    });
    Ok(Run {
        seconds,
        cpu_s: seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
        // Linux counts in KiB (getrusage(2)).
        peak_bytes: u64::try_from(usage.ru_maxrss).unwrap_or_default() * 1024,
        failure,
    })
}

/// In a process group of its own, and with no signal held back.
fn start_shell(line: &str) -> Result<Child, CommandError> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.process_group(0);
    // SAFETY: sigemptyset(3) and sigprocmask(2) are async-signal-safe (signal-safety(7)).
    unsafe {
        command.pre_exec(|| {
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            Ok(())
        });
    }
    command.spawn().map_err(|cause| CommandError::System { attempted: "start /bin/sh", cause })
}

fn wait(child: &Child) -> Result<(ExitStatus, libc::rusage), CommandError> {
    let failed = |cause| CommandError::System { attempted: "wait for the command", cause };
    let pid = i32::try_from(child.id()).map_err(|_| failed(std::io::ErrorKind::InvalidInput.into()))?;
    loop {
        let mut status = 0;
        // SAFETY: a rusage is plain data; both pointers are to live variables. The child is ours and not waited for
        // elsewhere.
        let (ended, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
        };
        if ended == pid {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(failed(error));
        }
    }
}

/// Reads a pipe on a thread of its own to its end, so that the command never waits for a reader; hands out the tail.
fn last_words(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut tail, mut buffer) = (Vec::new(), [0_u8; 4096]);
        while let Ok(count) = pipe.read(&mut buffer) {
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            tail.extend_from_slice(read);
            tail.drain(..tail.len().saturating_sub(TAIL));
        }
        sender.send(String::from_utf8_lossy(&tail).into_owned()).ok();
    });
    receiver
}

#[expect(clippy::cast_precision_loss, reason = "seconds of CPU time")]
fn seconds_of(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(line: &str) -> Vec<Run> {
        let spec = CommandSpec { line: line.to_owned(), warm_up: Duration::ZERO, duration: Duration::ZERO };
        run(&spec, &Running::default(), &mut || (), &mut |_, _| ()).unwrap()
    }

    #[test]
    fn a_block_has_three_runs_at_least_and_a_warm_up_before_them() {
        let folder = std::env::temp_dir().join(format!("prove-command-{}", std::process::id()));
        let line = format!("echo run >> {}", folder.display());
        assert_eq!(block(&line).len(), LEAST_RUNS);
        assert_eq!(std::fs::read_to_string(&folder).unwrap().lines().count(), LEAST_RUNS + 1);
        std::fs::remove_file(folder).unwrap();
    }

    #[test]
    fn cpu_time_of_all_that_the_shell_waited_for_is_counted() {
        let line = "sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'; true";
        for run in block(line) {
            assert!(run.cpu_s > 0.001 && run.peak_bytes > 100_000 && run.failure.is_none(), "{run:?}");
            assert!(run.seconds > 0.0, "{run:?}");
        }
    }

    #[test]
    fn a_failing_run_says_how_it_failed() {
        let runs = block("seq 1 9999 >&2; echo 'no such shop' >&2; exit 3");
        let failure = runs[0].failure.as_deref().unwrap();
        assert!(failure.starts_with("exit status: 3: ") && failure.ends_with("no such shop"), "{failure}");
        assert!(failure.len() < TAIL + 100);
        assert_eq!(block("kill -9 $$")[0].failure.as_deref(), Some("signal: 9 (SIGKILL)"));
    }

    #[test]
    fn a_daemon_that_keeps_the_pipe_open_does_not_hold_the_measurement_up() {
        assert!(
            block("sleep 30 & exit 1").iter().all(|run| run.failure.as_deref() == Some("exit status: 1"))
        );
    }

    #[test]
    fn whoever_stops_a_measurement_ends_the_command() {
        let spec =
            CommandSpec { line: "sleep 600".into(), warm_up: Duration::ZERO, duration: Duration::ZERO };
        let running = Running::default();
        std::thread::scope(|scope| {
            let measured = scope.spawn(|| run(&spec, &running, &mut || (), &mut |_, _| ()));
            while running.group.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            running.stop();
            assert!(matches!(measured.join().unwrap(), Err(CommandError::Stopped)));
        });
    }
}
