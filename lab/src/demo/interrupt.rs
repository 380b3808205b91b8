//! Ctrl-C, so that it ends the demo by the way on which everything is cleaned up.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::faults::{FaultError, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    INTERRUPTED.store(true, Relaxed);
}

/// From now on Ctrl-C and SIGTERM are noted, and [`check`] fails.
pub(super) fn listen() {
    let handler = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler stores to an atomic and does nothing else (signal-safety(7)).
        unsafe { libc::signal(signal, handler) };
    }
}

/// Fails once somebody wants the end.
pub(super) fn check() -> Result<()> {
    match INTERRUPTED.load(Relaxed) {
        true => Err(FaultError::new("interrupted")),
        false => Ok(()),
    }
}
