//! A host that is watched while it is read: when it last answered tells what is slow from what hangs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use host::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use host::{Clock, FolderEntry, Host, HostError, Question};

/// A host whose answers are noted.
pub(crate) struct Watched {
    host: Arc<dyn Host>,
    answers: Answers,
}

/// When a host last answered, and who asks it.
#[derive(Clone)]
pub(crate) struct Answers {
    host: Arc<dyn Host>,
    /// The folder below `/proc` of the thread that asks; empty where the host has none for it, unset before it has run.
    thread: Arc<OnceLock<String>>,
    begin: Instant,
    /// Microseconds after `begin`.
    last: Arc<AtomicU64>,
}

impl Watched {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        let (thread, last) = (Arc::default(), Arc::default());
        Self { answers: Answers { host: Arc::clone(&host), thread, begin: Instant::now(), last }, host }
    }

    /// Says that the calling thread is the one that asks.
    pub(crate) fn asked_by_this_thread(&self) {
        let thread = self.host.link("/proc/thread-self").unwrap_or_default();
        let _ = self.answers.thread.set(thread);
    }

    pub(crate) fn answers(&self) -> Answers {
        self.answers.clone()
    }

    fn noted<T>(&self, answer: T) -> T {
        let after = u64::try_from(self.answers.begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.answers.last.fetch_max(after, Relaxed);
        answer
    }
}

impl Answers {
    fn last(&self) -> Instant {
        self.begin + Duration::from_micros(self.last.load(Relaxed))
    }

    /// Whether the thread that asks would run if it had a CPU (state `R`, proc(5)): it does not wait for the host.
    fn wants_a_cpu(&self) -> bool {
        let Some(thread) = self.thread.get() else { return true };
        let stat = self.host.read(&format!("/proc/{thread}/stat")).unwrap_or_default();
        let state = stat.iter().rposition(|byte| *byte == b')').and_then(|end| stat.get(end + 2));
        !thread.is_empty() && state == Some(&b'R')
    }
}

impl Host for Watched {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        self.noted(self.host.read_into(path, buffer))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        self.noted(self.host.list(path))
    }

    fn list_kinds(&self, path: &str) -> Result<Vec<FolderEntry>, HostError> {
        self.noted(self.host.list_kinds(path))
    }

    fn link(&self, path: &str) -> Result<String, HostError> {
        self.noted(self.host.link(path))
    }

    fn read_end(&self, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        self.noted(self.host.read_end(path, most_bytes))
    }

    fn ask(&self, question: &Question) -> Result<Vec<u8>, HostError> {
        self.noted(self.host.ask(question))
    }

    fn named_databases(&self) -> Vec<String> {
        self.host.named_databases()
    }

    fn clock(&self) -> Clock {
        self.host.clock()
    }

    fn is_root(&self) -> Option<bool> {
        self.host.is_root()
    }

    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.noted(self.host.listeners())
    }

    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.noted(self.host.tcp_table(ephemeral))
    }

    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.noted(self.host.qdiscs())
    }

    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.noted(self.host.links())
    }

    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.noted(self.host.ethtool(interface))
    }
}

/// After so long a thread that wants a CPU is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long something that reads the host is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long the host may leave a question without an answer while the thread that asks sleeps.
    pub(crate) silence: Duration,
    /// How long it may take in all while the host answers: on a machine without time to spare everything is slow.
    pub(crate) all: Duration,
}

/// Why something that reads the host is no longer waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// The host has not answered for so long.
    Silent(Duration),
    /// The host answers, and it was not done after so long.
    Slow(Duration),
    /// Whatever was to send it has ended.
    Ended,
}

impl Patience {
    /// How much longer to wait after `waited`, when the host last answered `silent` ago.
    fn left(self, waited: Duration, silent: Duration) -> Result<Duration, Late> {
        let Self { silence, all } = self;
        if waited >= all.max(silence) {
            return Err(if silent >= silence { Late::Silent(silence) } else { Late::Slow(all) });
        }
        match silence.checked_sub(silent.min(waited)) {
            Some(left) if !left.is_zero() => Ok(left.min(all.max(silence).saturating_sub(waited))),
            _ => Err(Late::Silent(silence)),
        }
    }

    /// Waits for what a thread sends that reads the host whose answers these are.
    pub(crate) fn wait<T>(self, receiver: &Receiver<T>, answers: &Answers) -> Result<T, Late> {
        let begin = Instant::now();
        loop {
            let left = match self.left(begin.elapsed(), answers.last().elapsed()) {
                Err(Late::Silent(_)) if begin.elapsed() < self.all && answers.wants_a_cpu() => Ok(LOOK_AGAIN),
                left => left,
            };
            // What has arrived meanwhile counts, however late this thread got to run.
            match receiver.recv_timeout(left.unwrap_or_default()) {
                Ok(sent) => return Ok(sent),
                Err(RecvTimeoutError::Disconnected) => return Err(Late::Ended),
                Err(RecvTimeoutError::Timeout) => left.map(drop)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience =
        Patience { silence: Duration::from_millis(800), all: Duration::from_millis(5000) };

    fn left(waited_ms: u64, silent_ms: u64) -> Result<u128, Late> {
        let left = PATIENCE.left(Duration::from_millis(waited_ms), Duration::from_millis(silent_ms));
        left.map(|left| left.as_millis())
    }

    #[test]
    fn what_is_silent_is_given_up_and_what_answers_is_waited_for() {
        assert_eq!(left(0, 9000), Ok(800), "silence before the wait began does not count");
        assert_eq!(left(700, 700), Ok(100));
        assert_eq!(left(800, 800), Err(Late::Silent(PATIENCE.silence)));
        assert_eq!(left(2000, 100), Ok(700));
        assert_eq!(left(4900, 0), Ok(100));
        assert_eq!(left(5000, 0), Err(Late::Slow(PATIENCE.all)));
    }

    #[test]
    fn a_thread_that_wants_a_cpu_is_told_from_one_that_waits_for_the_host() {
        let asking = |stat: &str| {
            let mut tree = host::Tree::in_memory(1);
            tree.put_link(0, "/proc/thread-self", "7/task/9");
            tree.put(0, "/proc/7/task/9/stat", stat);
            Watched::new(Arc::new(tree.at(0)))
        };
        let sleeping = asking("9 (a) R) D 1 1");
        assert!(sleeping.answers().wants_a_cpu(), "it has not run yet");
        sleeping.asked_by_this_thread();
        assert!(!sleeping.answers().wants_a_cpu());
        let ready = asking("9 (a) D) R 1 1");
        ready.asked_by_this_thread();
        assert!(ready.answers().wants_a_cpu());
        let elsewhere = Watched::new(Arc::new(host::Tree::in_memory(1).at(0)));
        elsewhere.asked_by_this_thread();
        assert!(!elsewhere.answers().wants_a_cpu(), "a host without threads");
    }

    #[test]
    fn a_sender_that_ended_is_told_from_one_that_is_late() {
        let answers = Watched::new(Arc::new(host::Tree::in_memory(1).at(0))).answers();
        let (sender, receiver) = std::sync::mpsc::channel();
        sender.send(7).unwrap();
        assert_eq!(PATIENCE.wait(&receiver, &answers), Ok(7));
        drop(sender);
        assert_eq!(PATIENCE.wait(&receiver, &answers), Err(Late::Ended));
    }
}
