//! Counts the system calls of processes by ptrace(2), on request only.
//!
//! Each call of a traced process stops it twice, so this costs it time. It is the one way to see the paths that are asked
//! for without a program in the kernel: tracepoints give addresses of arguments, and need a file system to be mounted.
//! Should narrows end within, by whatever signal, the kernel lets the processes go on as they were.

mod calls;
mod paths;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use calls::{Stop, ptrace};

use crate::HostError;

/// How long a process may take to be let go: one that waits for a disk does not stop before the disk answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folders that are told apart; calls below others are counted together.
const MOST_FOLDERS: usize = 4096;

/// The folder under which calls are counted that are below none of those told apart.
pub const OTHERS: &str = "(others)";

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traced {
    /// Each system call by its number.
    pub calls: BTreeMap<u64, Calls>,
    /// Calls that ended with ENOENT, by the folder that was asked for.
    pub missing_below: BTreeMap<String, u64>,
    /// Calls that name a path.
    pub path_calls: u64,
    /// Of these, those that ended with ENOENT.
    pub path_missing: u64,
    /// Connections taken.
    pub accepted: u64,
    /// Seconds it lasted.
    pub seconds: f64,
    /// Processes that could be traced.
    pub processes: usize,
}

/// How often a system call was made.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Calls {
    /// Calls that ended.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Seconds in it, together with those that tracing takes.
    pub seconds: f64,
}

/// A call that has begun.
struct Begun {
    number: u64,
    path: Option<u64>,
    at: Instant,
}

/// Traces processes. The thread that makes it must be the one that traces.
pub struct Tracer {
    traced: BTreeMap<libc::pid_t, Option<Begun>>,
    found: Traced,
}

impl Tracer {
    /// Prepares this thread: it will be told of stops by a signal that it waits for. To be called before any other thread
    /// is started, as these inherit that the signal is held back.
    pub fn new() -> Self {
        calls::hold_back_stops();
        Self { traced: BTreeMap::new(), found: Traced::default() }
    }

    /// Counts the calls of these processes until the time is up or `stop` is set, and lets them go.
    ///
    /// # Errors
    /// When none of them may be traced.
    pub fn run(mut self, pids: &[u32], window: Duration, stop: &AtomicBool) -> Result<Traced, HostError> {
        let mut refused = None;
        for pid in pids.iter().filter_map(|pid| libc::pid_t::try_from(*pid).ok()) {
            match calls::seize(pid) {
                Ok(()) => drop(self.traced.insert(pid, None)),
                Err(errno) => refused = Some(HostError::from_errno(&format!("/proc/{pid}"), errno)),
            }
        }
        if let (true, Some(error)) = (self.traced.is_empty(), refused) {
            return Err(error);
        }
        self.found.processes = self.traced.len();
        let start = Instant::now();
        while start.elapsed() < window && !stop.load(Ordering::Relaxed) && !self.traced.is_empty() {
            self.serve(false);
        }
        self.found.seconds = start.elapsed().as_secs_f64();
        self.let_go();
        Ok(self.found)
    }

    /// Sees to every process that has stopped, and waits for the next a moment.
    fn serve(&mut self, detach: bool) {
        while let Some((pid, status)) = calls::stopped() {
            match calls::kind(status) {
                Stop::Ended => drop(self.traced.remove(&pid)),
                _ if detach => {
                    calls::detach(pid, status);
                    self.traced.remove(&pid);
                }
                Stop::AtCall => {
                    self.at_call(pid);
                    ptrace(libc::PTRACE_SYSCALL, pid, 0, 0);
                }
                Stop::HeldByShell => ptrace(libc::PTRACE_LISTEN, pid, 0, 0),
                Stop::Signal(signal) => ptrace(libc::PTRACE_SYSCALL, pid, 0, signal),
                Stop::Other => ptrace(libc::PTRACE_SYSCALL, pid, 0, 0),
            }
        }
        calls::wait_for_a_stop();
    }

    fn let_go(&mut self) {
        for pid in self.traced.keys() {
            ptrace(libc::PTRACE_INTERRUPT, *pid, 0, 0);
        }
        let start = Instant::now();
        while !self.traced.is_empty() && start.elapsed() < PATIENCE {
            self.serve(true);
        }
    }

    fn at_call(&mut self, pid: libc::pid_t) {
        let Some(info) = calls::info(pid) else { return };
        match info {
            calls::Info::Entry { number, arguments } => {
                let path = paths::argument(number, arguments);
                let begun = Begun { number, path, at: Instant::now() };
                self.traced.insert(pid, Some(begun));
            }
            calls::Info::Exit { result } => {
                let begun = self.traced.get_mut(&pid).and_then(Option::take);
                if let Some(begun) = begun {
                    self.ended(pid, &begun, result);
                }
            }
        }
    }

    fn ended(&mut self, pid: libc::pid_t, begun: &Begun, result: i64) {
        let found = &mut self.found;
        let calls = found.calls.entry(begun.number).or_default();
        calls.calls += 1;
        calls.seconds += begun.at.elapsed().as_secs_f64();
        calls.errors += u64::from(result < 0);
        found.accepted += u64::from(result >= 0 && paths::accepts(begun.number));
        let Some(address) = begun.path else { return };
        found.path_calls += 1;
        if result != -i64::from(libc::ENOENT) {
            return;
        }
        found.path_missing += 1;
        let folder = paths::folder(&paths::read(pid, address));
        let known = found.missing_below.len() < MOST_FOLDERS || found.missing_below.contains_key(&folder);
        let folder = if known { folder } else { OTHERS.to_owned() };
        *found.missing_below.entry(folder).or_default() += 1;
    }
}

impl Default for Tracer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;

    use super::*;

    /// A shell that looks for a file that is not there, again and again, until this is dropped.
    struct Searching(Child);

    impl Searching {
        fn start() -> Self {
            let script = "while :; do [ -e /no/such/folder/file ]; [ -e /etc/passwd ]; done";
            let [input, output, error] = [Stdio::null(), Stdio::null(), Stdio::null()];
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).stdin(input).stdout(output).stderr(error);
            Self(shell.spawn().unwrap())
        }
    }

    impl Drop for Searching {
        fn drop(&mut self) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }

    fn traced(pid: u32, stop: Arc<AtomicBool>) -> Result<Traced, HostError> {
        // A thread of its own, since tracing belongs to a thread.
        std::thread::spawn(move || Tracer::new().run(&[pid], Duration::from_secs(60), &stop)).join().unwrap()
    }

    #[test]
    fn calls_and_missing_paths_are_counted_and_the_process_runs_on() {
        let mut child = Searching::start();
        let stop = Arc::new(AtomicBool::new(false));
        let (pid, copy) = (child.0.id(), Arc::clone(&stop));
        let run = std::thread::spawn(move || traced(pid, copy));
        let status = format!("/proc/{pid}/status");
        let holds = |wanted: &str| std::fs::read_to_string(&status).unwrap().contains(wanted);
        while holds("TracerPid:\t0\n") {
            std::thread::yield_now();
        }
        let switches = |name: &str| {
            let text = std::fs::read_to_string(&status).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        let before = switches("voluntary_ctxt_switches");
        while switches("voluntary_ctxt_switches") < before + 4000 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        let found = run.join().unwrap().unwrap();
        assert!(holds("TracerPid:\t0\n"), "it was let go");
        assert!(child.0.try_wait().unwrap().is_none(), "it runs on");
        assert!(found.path_missing > 0 && found.path_missing < found.path_calls, "{found:?}");
        let most =
            found.missing_below.iter().max_by_key(|(_, calls)| **calls).map(|(folder, _)| folder.as_str());
        assert_eq!(most, Some("/no/such/folder"));
    }

    #[test]
    fn a_process_that_is_gone_cannot_be_traced_and_one_that_ends_meanwhile_ends_it() {
        let stop = Arc::new(AtomicBool::new(false));
        assert!(traced(u32::MAX / 4, Arc::clone(&stop)).is_err());
        let mut child = Command::new("sleep").arg("0.2").spawn().unwrap();
        let found = traced(child.id(), stop).unwrap();
        assert_eq!(found.processes, 1);
        // Its tracer was a thread of its parent, and may have been told of its end first.
        child.wait().ok();
    }
}
