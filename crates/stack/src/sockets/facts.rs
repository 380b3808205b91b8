//! Sockets and the counters of TCP, as `sock_diag` and `/proc/net` give them.

use std::collections::BTreeMap;

use host::kernel::{Listener, TcpTable};
use serde::{Deserialize, Serialize};

/// The socket layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Listening sockets; `None` when they could not be listed.
    pub listeners: Option<Vec<Listener>>,
    /// Why they could not.
    pub listeners_unread: Option<model::Unread>,
    /// TCP sockets grouped; `None` when they could not be listed.
    pub tcp: Option<TcpTable>,
    /// Why they could not.
    pub tcp_unread: Option<model::Unread>,
    /// `/proc/net/netstat` and `/proc/net/snmp`, as `TcpExt.ListenOverflows` and `Tcp.RetransSegs`.
    /// `Tcp.MaxConn` is -1 on every host and left out.
    pub counters: BTreeMap<String, u64>,
    /// `/proc/net/sockstat` and `sockstat6`, as `TCP.tw`.
    pub sockstat: BTreeMap<String, u64>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
    /// What `/proc/net` leaves out where asking `sock_diag` would load a kernel module.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<model::Unread>,
}
