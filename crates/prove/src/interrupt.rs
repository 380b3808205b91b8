//! What a person's Ctrl-C, or a service manager's stop, does to a measurement.

/// The signals by which a terminal, a person or a service manager ends a process.
const SIGNALS: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Holds these signals back in this thread and in every thread that it starts from now on, and calls `act` with the first
/// that comes, in a thread of its own. To be called before any other thread is started.
///
/// # Errors
/// When no thread can be started.
pub fn on_interrupt(act: impl FnOnce(i32) + Send + 'static) -> std::io::Result<()> {
    // SAFETY: the set is initialised by sigemptyset before it is read, and is plain data.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in SIGNALS {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        set
    };
    let wait = move || {
        let mut signal = 0;
        // SAFETY: both point to live variables; the signals are held back in every thread.
        if unsafe { libc::sigwait(&raw const set, &raw mut signal) } == 0 {
            act(signal);
        }
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(wait).map(drop)
}
