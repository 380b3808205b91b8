//! Remedies of the kernel tier from end to end, through the program as a user runs it: a fault is made, `narrows plan` names
//! the change, `apply` makes it, the promised figure moves, a new plan has nothing left to do, and `undo` brings back
//! exactly what was there. Needs root, iproute2 and util-linux; files are written in a private copy of `/etc` only.

#![allow(
    clippy::disallowed_methods,
    reason = "the faults are made with the system's own programs and proved from the kernel's own files"
)]
#![allow(clippy::print_stdout, reason = "figures, for whoever runs the tests with --nocapture")]

use lab::faults;

#[path = "remedies/mod.rs"]
mod remedies;
