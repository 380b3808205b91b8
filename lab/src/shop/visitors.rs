//! People who look at pages of the shop, so many a second, whatever the shop does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::faults::netns::Namespace;
use crate::faults::{FaultError, Result};
use crate::http_burst::{self, Answer};

/// What visitors saw, second by second.
pub struct Seen {
    per_s: u32,
    seconds: Mutex<Vec<Second>>,
    enough: AtomicBool,
}

/// One second, by when its requests were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Pages with status 200.
    pub good: u32,
    /// All others.
    pub failed: u32,
}

impl Seen {
    pub(super) fn new(per_s: u32) -> Self {
        Self { per_s, seconds: Mutex::default(), enough: AtomicBool::new(false) }
    }

    /// The seconds whose requests have all been answered.
    pub fn complete(&self) -> Vec<Second> {
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = |second: &&Second| second.good + second.failed >= self.per_s;
        seconds.iter().take_while(whole).copied().collect()
    }

    /// Seconds that have begun.
    pub fn begun(&self) -> usize {
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Sends the visitors home.
    pub(super) fn close(&self) {
        self.enough.store(true, Relaxed);
    }

    fn count(&self, second: usize, answer: Answer) {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds.len() <= second {
            seconds.resize(second + 1, Second::default());
        }
        if let Some(second) = seconds.get_mut(second) {
            match answer.status {
                Some(200) => second.good += 1,
                _ => second.failed += 1,
            }
        }
    }
}

/// Sends visitors from a namespace until the place is closed.
pub(super) fn come(from: &Namespace, to: SocketAddr, seen: &Seen) -> Result<()> {
    from.run(|| {
        std::thread::scope(|scope| {
            let opened = Instant::now();
            let mut due = 0_u32;
            while !seen.enough.load(Relaxed) {
                let now = opened.elapsed().as_secs_f64() * f64::from(seen.per_s);
                while f64::from(due) <= now {
                    let second = (due / seen.per_s) as usize;
                    std::thread::Builder::new()
                        .stack_size(128 << 10)
                        .spawn_scoped(scope, move || seen.count(second, http_burst::visit(to)))
                        .map_err(|error| FaultError::new(format!("could not send a visitor: {error}")))?;
                    due += 1;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        })
    })
}
