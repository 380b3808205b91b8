//! Ending a trial from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::TrialError;

type Breaker = Box<dyn Fn() + Send>;

/// Ends a trial, even while a statement runs; whoever handles signals keeps a clone. The trial then fails with
/// [`TrialError::Interrupted`] and removes what it made.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    asked: AtomicBool,
    breakers: Mutex<Vec<Breaker>>,
}

impl Stop {
    /// Asks for the end, and breaks off what runs.
    pub fn now(&self) {
        self.shared.asked.store(true, Ordering::SeqCst);
        for breaker in self.breakers().iter() {
            breaker();
        }
    }

    pub(super) fn check(&self) -> Result<(), TrialError> {
        if self.shared.asked.load(Ordering::SeqCst) { Err(TrialError::Interrupted) } else { Ok(()) }
    }

    /// Adds what breaks off whatever runs: called once the end was asked for.
    pub(super) fn breaks(&self, breaker: impl Fn() + Send + 'static) {
        self.breakers().push(Box::new(breaker));
    }

    fn breakers(&self) -> std::sync::MutexGuard<'_, Vec<Breaker>> {
        self.shared.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
