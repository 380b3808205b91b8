//! Namespaces of a test's own, so that nothing of the machine is touched.

use std::process::Command;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;

/// Runs `work` on a thread with mounts of its own, and other namespaces as told. Programs it starts share them; all
/// of it goes with the thread.
pub(crate) fn apart<T: Send>(more: UnshareFlags, work: impl FnOnce() -> T + Send) -> T {
    let worker = move || {
        // SAFETY: the namespaces and the working directory are this thread's alone; descriptors stay shared.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | more) }
            .expect("namespaces of its own: run the tests as root");
        mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
        work()
    };
    let done = std::thread::scope(|scope| scope.spawn(worker).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs `work` with mounts of its own.
pub(crate) fn with_own_mounts<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    apart(UnshareFlags::empty(), work)
}

/// Runs a program that must succeed, and gives what it printed. `package` is where it comes from.
pub(crate) fn run(package: &str, words: &[&str]) -> String {
    let (program, arguments) = words.split_first().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {package}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {} {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
