//! What the kernel answered: plain data, as it is stored in a bundle.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names an address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    Inet4,
    /// IPv6, with the IPv4 peers of a dual-stack socket.
    Inet6,
    /// Unix domain.
    Unix,
}

/// Describes one socket in the listen state and its accept queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// Address family of the socket.
    pub family: Family,
    /// `0.0.0.0:80`, `[::]:80`, or the Unix path; `@name` if abstract, empty if unnamed.
    pub local: String,
    /// TCP port; none for a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Socket inode, as in `/proc/PID/fd`.
    pub inode: u64,
    /// Connections completed and not yet accepted.
    pub waiting: u32,
    /// Limit of `waiting`: listen(2)'s backlog after `net.core.somaxconn`. The kernel accepts one more than
    /// this (`sk_acceptq_is_full` tests with `>`). `/proc` does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32>,
}

/// Counts the TCP sockets from one local address to one remote address and port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// Local IP address.
    pub local: String,
    /// Remote IP address.
    pub remote: String,
    /// Remote port.
    pub port: u16,
    /// Sockets in ESTABLISHED.
    pub established: u32,
    /// Sockets in TIME-WAIT.
    pub time_wait: u32,
    /// Sockets in any other state.
    pub other: u32,
    /// Of all of them, those whose local port lies in the ephemeral range.
    pub in_range: u32,
}

/// Counts the TCP sockets behind one local listening port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Local port.
    pub port: u16,
    /// Sockets in ESTABLISHED, accepted or not.
    pub established: u32,
    /// Sockets in TIME-WAIT.
    pub time_wait: u32,
    /// Sockets in FIN-WAIT-2.
    pub fin_wait2: u32,
    /// Connection requests in SYN-RECEIVED.
    pub syn_received: u32,
    /// Sockets in any other state; the listeners themselves are not counted.
    pub other: u32,
}

/// Tells what `struct tcp_info` says of one connection (kernel `include/uapi/linux/tcp.h`).
///
/// An optional field is absent on kernels whose `tcp_info` ends before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TcpDetail {
    /// Local address and port.
    pub local: String,
    /// Remote address and port.
    pub remote: String,
    /// State by name, such as `established`.
    pub state: String,
    /// Congestion control in use, such as `cubic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub congestion_control: Option<String>,
    /// Smoothed round-trip time; 0 before the first sample.
    pub rtt_us: u32,
    /// Mean deviation of the round-trip time.
    pub rtt_variance_us: u32,
    /// Congestion window, in segments.
    pub congestion_window: u32,
    /// Segments retransmitted since the connection began.
    pub retransmits_total: u32,
    /// Segments sent, retransmissions and pure acknowledgements included. The kernel's counter has 32 bits
    /// and wraps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments_out: Option<u64>,
    /// Segments now held to be lost.
    pub lost: u32,
    /// Segments sent and not yet acknowledged.
    pub unacked: u32,
    /// Bytes acknowledged by the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_acked: Option<u64>,
    /// Time with data outstanding or queued to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_us: Option<u64>,
    /// Part of `busy_us` held up by the peer's receive window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_window_limited_us: Option<u64>,
    /// Part of `busy_us` held up by the local send buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_buffer_limited_us: Option<u64>,
    /// Time since data was last sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_send_ms: Option<u32>,
    /// Latest measured delivery rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_rate_bytes_per_s: Option<u64>,
}

/// Sums `tcp_info` over all established sockets that have one.
///
/// Sums are of the connections that live now: they fall when one closes, so a difference of two readings is
/// not a rate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TcpTotals {
    /// Sockets summed.
    pub sockets: u64,
    /// Segments retransmitted.
    pub retransmits_total: u64,
    /// Segments sent, retransmissions and pure acknowledgements included.
    pub segments_out: u64,
    /// Time with data outstanding or queued to send.
    pub busy_us: u64,
    /// Part of `busy_us` held up by the peers' receive windows.
    pub receive_window_limited_us: u64,
    /// Part of `busy_us` held up by local send buffers.
    pub send_buffer_limited_us: u64,
    /// Median of the smoothed round-trip times; none without a measured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_rtt_us: Option<u32>,
    /// 90th percentile of the smoothed round-trip times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_rtt_us: Option<u32>,
    /// Sockets by congestion control.
    pub by_congestion_control: BTreeMap<String, u64>,
}

/// Summarizes every TCP socket of the network namespace.
///
/// A socket is incoming if its local port is one somebody listens on, else outgoing. Connections that outlive
/// their listener therefore count as outgoing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TcpTable {
    /// Outgoing sockets by destination, most sockets first; at most 256.
    pub destinations: Vec<Destination>,
    /// Incoming sockets by local port, in order of port; ports with no connection included.
    pub services: Vec<Service>,
    /// Sockets in each of the eleven TCP states.
    pub states: BTreeMap<String, u64>,
    /// The 64 established sockets that sent most segments, most first.
    pub busy: Vec<TcpDetail>,
    /// Sums over the established sockets.
    pub totals: TcpTotals,
    /// Destinations beyond the 256 kept.
    pub destinations_left_out: u64,
    /// There were more destinations than are held in memory (65,536), or the kernel said that its table changed
    /// under the reader. `sock_diag` never says so for TCP: sockets opened or closed during the dump may be
    /// missing or doubled.
    pub truncated: bool,
}

/// Describes one queueing discipline and its counters since it was attached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Qdisc {
    /// Network interface.
    pub interface: String,
    /// The interface's index.
    pub index: u32,
    /// Kind, such as `fq_codel`.
    pub kind: String,
    /// Handle, hexadecimal with its colon: `8001:`.
    pub handle: String,
    /// `root`, `ingress`, or the class it hangs under: `1:2`.
    pub parent: String,
    /// Bytes queued now.
    pub backlog_bytes: u64,
    /// Packets queued now.
    pub backlog_packets: u64,
    /// Packets dropped. The kernel's counter has 32 bits and wraps.
    pub drops: u64,
    /// Times a packet had to wait for the rate. The kernel's counter has 32 bits and wraps.
    pub overlimits: u64,
    /// Packets the driver gave back. The kernel's counter has 32 bits and wraps.
    pub requeues: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets it holds at most, for kinds that state it: pfifo, codel, fq_codel, fq, netem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_packets: Option<u32>,
    /// Rate it shapes to: cake, tbf. Absent when unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bits_per_s: Option<u64>,
}

/// Describes one network interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Interface index.
    pub index: u32,
    /// Interface name.
    pub name: String,
    /// Software kind, such as `veth`, `bridge`, `vlan`; none for hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Administratively up (`IFF_UP`); says nothing of the carrier.
    pub up: bool,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// `txqueuelen`, in packets.
    pub transmit_queue_length: u32,
    /// Receive queues allocated.
    pub receive_queues: u32,
    /// Transmit queues allocated.
    pub transmit_queues: u32,
}

/// Gives the descriptors of a device's rings, per queue. A direction whose maximum is 0 is absent: the driver has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ring {
    /// Receive descriptors in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<u32>,
    /// Receive descriptors at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_max: Option<u32>,
    /// Transmit descriptors in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transmit: Option<u32>,
    /// Transmit descriptors at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transmit_max: Option<u32>,
}

/// Gives the queues of a device, by what they carry. A sort whose maximum is 0 is absent: the driver has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Channels {
    /// Queues for both directions in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined: Option<u32>,
    /// Queues for both directions at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined_max: Option<u32>,
    /// Receive-only queues in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<u32>,
    /// Receive-only queues at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_max: Option<u32>,
    /// Transmit-only queues in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transmit: Option<u32>,
    /// Transmit-only queues at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transmit_max: Option<u32>,
}

/// Tells what a network driver says of its device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ethtool {
    /// Driver name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Driver version; the kernel's own release for drivers in its tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// Firmware version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// Bus address, such as `0000:00:03.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// Ring sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
    /// Queue counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// The driver's own counters by its own names (`ethtool -S`); counters of equal name are added up.
    pub statistics: BTreeMap<String, u64>,
    /// Link speed; absent when unknown or the link is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mbits: Option<u32>,
    /// Queries the driver does not support: `driver`, `rings`, `channels`, `statistics`, `link-settings`.
    pub unsupported: Vec<String>,
}

/// Holds what a text of `/proc` says, and how many of its lines could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct FromProc<T> {
    /// What the other lines say.
    pub answer: T,
    /// Lines that do not have the documented shape.
    pub lines_skipped: u64,
}
