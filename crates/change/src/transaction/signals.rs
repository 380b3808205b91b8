//! No signal of the terminal ends a transaction half-way.

/// Holds back the signals by which a terminal, a service manager or a person ends a process, until dropped. They are
/// delivered then. SIGKILL cannot be held back: for that there is the journal.
#[derive(Debug)]
pub(super) struct HeldBack {
    before: libc::sigset_t,
}

impl HeldBack {
    pub(super) fn new() -> Self {
        // SAFETY: both sets are initialised by sigemptyset and pthread_sigmask before they are read, and a set is
        // plain data.
        unsafe {
            let mut held: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut held);
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP] {
                libc::sigaddset(&raw mut held, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const held, &raw mut before);
            Self { before }
        }
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        // SAFETY: the set was filled by pthread_sigmask.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut());
        }
    }
}
