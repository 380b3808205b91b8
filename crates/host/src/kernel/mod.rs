//! Questions put to the live kernel where `/proc` has no answer: listen queues, TCP sockets, queueing
//! disciplines, links, and network drivers.
//!
//! Everything here concerns the network namespace of the calling thread. Every parser is a pure function over
//! bytes; only [`Listeners`], [`tcp_table()`], [`qdiscs`], [`links`], [`ethtool()`] and [`diag_state`] ask.
//!
//! Asking changes nothing: no query loads a kernel module unless the caller allows it ([`diag_state`]).

mod answers;
mod error;
mod ethtool;
mod ioctl;
mod modules;
pub mod netlink;
mod ports;
pub mod proc_net_tcp;
pub mod proc_net_unix;
mod route;
mod sock_diag;
mod sock_message;
mod tcp_info;
mod tcp_table;
#[cfg(test)]
mod testing;

pub use answers::{
    Channels, Destination, Ethtool, Family, FromProc, Link, Listener, Qdisc, Ring, Service, TcpDetail,
    TcpTable, TcpTotals,
};
pub use error::KernelError;
pub use ethtool::ethtool;
pub use modules::{DiagState, ModuleState, diag_state};
pub use route::{links, qdiscs};
pub use sock_diag::{Listeners, listeners, tcp_table};
