//! Real faults of the kernel, made on this machine and bounded in time and count, to hold the tool against.
//!
//! Each fault is a guard: what it starts ends when it is dropped, after a panic too. Each has a healthy twin,
//! the same machinery unbroken, so that a verdict can be shown to need the fault and not merely the load.
//!
//! A test starts a fault, calls [`Fault::wait_until_established`], then runs the tool where the fault can be seen:
//! `fault.command(env!("CARGO_BIN_EXE_narrows"))`. Faults that change or load what the whole machine shares
//! ([`veth_backlog_drop`], [`io_uring_waiters`], [`busy_disk`], [`crowd`]) are held under [`tools::machine_alone`].

pub(crate) mod bursty_listener;
pub(crate) mod busy_disk;
pub(crate) mod child;
pub(crate) mod cpu_quota;
pub(crate) mod crowd;
mod error;
mod fault;
pub(crate) mod fin_wait2;
pub(crate) mod frozen_filesystem;
mod fuse_protocol;
pub(crate) mod half_open;
pub(crate) mod io_uring_waiters;
pub(crate) mod kernel;
pub(crate) mod mount_namespace;
pub(crate) mod netns;
pub(crate) mod port_exhaustion;
mod shared;
pub(crate) mod silent_fuse;
pub(crate) mod steady_datagrams;
pub(crate) mod sysctl;
pub(crate) mod tcp_listen_overflow;
pub(crate) mod tools;
pub(crate) mod unix_listen_overflow;
pub(crate) mod veth_backlog_drop;
pub(crate) mod wait;

pub(crate) use error::{Attempt, FaultError, Result, report_left_behind};
pub(crate) use fault::{Fault, Health};
