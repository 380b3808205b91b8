//! Real faults of the kernel, made on this machine and bounded in time and count, to hold the tool against.
//!
//! Each fault is a guard: what it starts ends when it is dropped, after a panic too. Each has a healthy twin,
//! the same machinery unbroken, so that a verdict can be shown to need the fault and not merely the load.
//!
//! A test starts a fault, calls [`Fault::wait_until_established`], then runs the tool where the fault can be seen:
//! `fault.command(narrows)`. Faults that change or load what the whole machine shares
//! ([`veth_backlog_drop`], [`io_uring_waiters`], [`busy_disk`], [`crowd`]) are held under [`tools::machine_alone`].

/// A listener that is away now and then, and bursts that come meanwhile.
pub mod bursty_listener;
/// A disk that is busy.
pub mod busy_disk;
pub mod child;
/// A control group that runs out of its CPU quota.
pub mod cpu_quota;
/// Thousands of processes and sockets.
pub mod crowd;
mod error;
mod fault;
/// Connections that stay in FIN-WAIT-2.
pub mod fin_wait2;
/// A frozen file system that writers wait for.
pub mod frozen_filesystem;
mod fuse_protocol;
/// Half-open connections that fill the SYN queue.
pub mod half_open;
pub mod io_uring_waiters;
pub mod kernel;
/// A mount namespace of its own.
pub mod mount_namespace;
/// Network namespaces, and two joined by a veth pair.
pub mod netns;
/// Local ports that run out towards one destination.
pub mod port_exhaustion;
pub(crate) mod shared;
/// A FUSE file system that never answers.
pub mod silent_fuse;
/// Datagrams at a steady rate.
pub mod steady_datagrams;
/// A kernel parameter, changed for a while.
pub mod sysctl;
/// A TCP listen queue that overflows.
pub mod tcp_listen_overflow;
/// Programs of the distribution.
pub mod tools;
/// A Unix listen queue that overflows.
pub mod unix_listen_overflow;
pub mod veth_backlog_drop;
/// Waiting for conditions.
pub mod wait;

pub use error::{Attempt, FaultError, Result, report_left_behind};
pub use fault::{Fault, Health};
