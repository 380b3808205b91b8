//! What `narrows apply` and `narrows undo` promise, held against SIGKILL before every change they make and against
//! disks that refuse. Needs root, iproute2, ethtool, e2fsprogs, util-linux,
//! nginx and gcc.
//!
//! A world is a network namespace and a mount namespace with an `/etc` of its own; values that the whole machine shares
//! are put back by a guard and tested one at a time. After every kill the world must hold what it held before: values,
//! bytes, owners, modes, times, attributes, and no file more. Lost = 0.
//!
//! The tests kill before each call that changes something. What follows is an undo; between the two, in turn, nothing
//! else, the same apply once more, or an undo that is killed too. `NARROWS_CRASH_THOROUGH=1` has all three follow every
//! kill, and kills trials at every point.

#![allow(
    clippy::disallowed_methods,
    reason = "worlds are made with the system's own programs and proved from the kernel's own files"
)]
#![allow(clippy::print_stdout, reason = "figures, for whoever runs the tests with --nocapture")]

/// What the worlds are made with.
mod faults {
    pub(crate) use lab::faults::child::LastWill;
    pub(crate) use lab::faults::mount_namespace::MountNamespace;
    pub(crate) use lab::faults::netns::Namespace;
    pub(crate) use lab::faults::{Attempt, FaultError, Result, report_left_behind, tools, wait};
    pub(crate) use lab::services::{folder, mariadb::MariaDb};
}
#[path = "crash/mod.rs"]
mod crash;
