//! The kernel's answers as plain data, so that a tree can hold them as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The address family of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    Inet4,
    /// IPv6.
    Inet6,
    /// A Unix stream socket.
    Unix,
}

/// A listening socket and its accept queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// The address family.
    pub family: Family,
    /// `0.0.0.0:80`, `[::]:80`, or the path of a Unix socket (`@name` if abstract).
    pub local: String,
    /// The TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The socket's inode.
    #[serde(default)]
    pub inode: u64,
    /// Connections in the accept queue now.
    pub waiting: u32,
    /// The limit of the accept queue: min(listen(2)'s backlog, `net.core.somaxconn`); one more fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32>,
}

/// Outgoing TCP connections of one source address towards one destination address and port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// The local address.
    pub local: String,
    /// The remote address.
    pub remote: String,
    /// The remote port.
    pub port: u16,
    /// Sockets in ESTABLISHED.
    #[serde(default)]
    pub established: u32,
    /// Sockets in TIME_WAIT.
    #[serde(default)]
    pub time_wait: u32,
    /// Sockets in any other state.
    #[serde(default)]
    pub other: u32,
    /// Of all these, those whose local port lies in the ephemeral range.
    #[serde(default)]
    pub in_range: u32,
    /// Those in TIME_WAIT by how long they are in it, in steps of [`Destination::AGE_STEP_S`], youngest first. Steps after
    /// the oldest socket are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time_wait_by_age: Vec<u32>,
}

impl Destination {
    /// The length in seconds of a step of [`Destination::time_wait_by_age`].
    pub const AGE_STEP_S: u32 = 5;
}

/// Incoming TCP connections of one listening port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The local port.
    pub port: u16,
    /// Sockets in ESTABLISHED.
    #[serde(default)]
    pub established: u32,
    /// Sockets in TIME_WAIT.
    #[serde(default)]
    pub time_wait: u32,
    /// Sockets in FIN_WAIT2.
    #[serde(default)]
    pub fin_wait2: u32,
    /// Sockets in SYN_RECV.
    #[serde(default)]
    pub syn_received: u32,
    /// Sockets in any other state.
    #[serde(default)]
    pub other: u32,
}

/// What the kernel knows of one established TCP connection (`struct tcp_info`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TcpDetail {
    /// The local address and port.
    pub local: String,
    /// The remote address and port.
    pub remote: String,
    /// The state.
    pub state: String,
    /// The congestion control algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion_control: Option<String>,
    /// Smoothed round-trip time.
    pub rtt_us: u32,
    /// Its mean deviation.
    pub rtt_variance_us: u32,
    /// The congestion window, in segments.
    pub congestion_window: u32,
    /// Segments sent again over the connection's life.
    pub retransmits_total: u32,
    /// Segments sent over the connection's life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments_out: Option<u64>,
    /// Segments held lost now.
    pub lost: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Bytes acknowledged over the connection's life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_acked: Option<u64>,
    /// Time with data to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_us: Option<u64>,
    /// Of it, time limited by the receiver's window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_window_limited_us: Option<u64>,
    /// Of it, time limited by the own send buffer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_buffer_limited_us: Option<u64>,
    /// Time since data was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_send_ms: Option<u32>,
    /// The latest estimate of the delivery rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_rate_bytes_per_s: Option<u64>,
}

/// Sums over every established TCP connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TcpTotals {
    /// Connections summed.
    pub sockets: u64,
    /// Segments sent again over the connections' lives.
    pub retransmits_total: u64,
    /// Segments sent over the connections' lives.
    pub segments_out: u64,
    /// Time with data to send.
    pub busy_us: u64,
    /// Of it, time limited by the receiver's window.
    pub receive_window_limited_us: u64,
    /// Of it, time limited by the own send buffer.
    pub send_buffer_limited_us: u64,
    /// The median of the smoothed round-trip times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_rtt_us: Option<u32>,
    /// The 90th percentile of the smoothed round-trip times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_rtt_us: Option<u32>,
    /// Connections by congestion control algorithm.
    pub by_congestion_control: BTreeMap<String, u64>,
}

/// Every TCP socket, grouped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TcpTable {
    /// Outgoing connections by destination, most first, at most 256.
    pub destinations: Vec<Destination>,
    /// Incoming connections by listening port.
    pub services: Vec<Service>,
    /// Sockets by state: `established`, `syn-sent`, `syn-received`, `fin-wait-1`, `fin-wait-2`, `time-wait`, `close`,
    /// `close-wait`, `last-ack`, `listen`, `closing`.
    pub states: BTreeMap<String, u64>,
    /// The 64 established connections that sent most segments.
    pub busy: Vec<TcpDetail>,
    /// Sums over every established connection; `None` where the kernel gave no `tcp_info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<TcpTotals>,
    /// Destinations beyond the 256 listed.
    pub destinations_left_out: u64,
    /// Whether the kernel's answer was cut short.
    pub truncated: bool,
}

/// A queueing discipline and its counters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Qdisc {
    /// The network interface.
    pub interface: String,
    /// The interface's index.
    pub index: u32,
    /// The kind: `fq_codel`, `mq`, `pfifo_fast`, …
    pub kind: String,
    /// The handle, as `8001:`.
    pub handle: String,
    /// The parent: `root`, or a class as `1:2`.
    pub parent: String,
    /// Bytes queued now.
    pub backlog_bytes: u64,
    /// Packets queued now.
    pub backlog_packets: u64,
    /// Packets dropped.
    pub drops: u64,
    /// Times the limit was met.
    pub overlimits: u64,
    /// Times the driver handed a packet back.
    pub requeues: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// The queue's limit in packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_packets: Option<u32>,
    /// The rate it shapes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_bits_per_s: Option<u64>,
}

/// A network interface as the kernel lists it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// The interface's index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its kind (`veth`, `bridge`, `vlan`); `None` for hardware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it is up.
    pub up: bool,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// `txqueuelen`, in packets.
    pub transmit_queue_length: u32,
    /// Receive queues.
    pub receive_queues: u32,
    /// Transmit queues.
    pub transmit_queues: u32,
}

/// Ring sizes in descriptors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ring {
    /// Receive descriptors now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive: Option<u32>,
    /// Receive descriptors at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_max: Option<u32>,
    /// Transmit descriptors now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transmit: Option<u32>,
    /// Transmit descriptors at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transmit_max: Option<u32>,
}

/// Queue counts of a network interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Channels {
    /// Queue pairs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<u32>,
    /// Queue pairs at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_max: Option<u32>,
    /// Receive-only queues now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive: Option<u32>,
    /// Receive-only queues at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_max: Option<u32>,
    /// Transmit-only queues now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transmit: Option<u32>,
    /// Transmit-only queues at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transmit_max: Option<u32>,
}

/// What a driver says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ethtool {
    /// The driver's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The driver's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// The firmware's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// The bus address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// Ring sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
    /// Queue counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// The driver's own counters, as `ethtool -S` prints them.
    pub statistics: BTreeMap<String, u64>,
    /// The link's speed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mbits: Option<u32>,
    /// Questions the driver does not support.
    pub unsupported: Vec<String>,
}

/// An answer parsed from text of `/proc/net`.
#[derive(Debug, Clone, PartialEq)]
pub struct FromProc<T> {
    /// What was understood.
    pub answer: T,
    /// Lines that were not, and were skipped.
    pub lines_skipped: u64,
}
