//! Network file systems, as `/proc/self/mountstats` and module parameters give them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The network file system layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// NFS mounts with their statistics.
    pub mounts: Vec<Mount>,
    /// Mounts of other network or user-space file systems, which have no statistics here.
    pub others: Vec<OtherMount>,
    /// `/sys/module/nfs/parameters/max_session_slots`.
    pub max_session_slots: Option<u64>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
}

/// A mount of another network or user-space file system (cifs, 9p, virtiofs, ceph, fuse.*).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherMount {
    /// Where it is mounted.
    pub mount_point: String,
    /// The file system's type.
    pub filesystem: String,
}

/// An NFS mount of `/proc/self/mountstats` (net/sunrpc/stats.c, fs/nfs/super.c).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// The server and its export.
    pub device: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// `nfs` or `nfs4`.
    pub filesystem: String,
    /// The mount options (`opts:` line).
    pub options: BTreeMap<String, Option<String>>,
    /// The options of `/proc/self/mounts`, which hold those of the mount point as well (`ro`, `noatime`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mount_options: BTreeMap<String, Option<String>>,
    /// Seconds since it was mounted.
    pub age_s: Option<u64>,
    /// The `events:` line, by name (fs/nfs/iostat.h): `inoderevalidates`, `dentryrevalidates`, …
    pub events: BTreeMap<String, u64>,
    /// The `bytes:` line, by name: `normalreadbytes`, …
    pub bytes: BTreeMap<String, u64>,
    /// Per operation (`GETATTR`), the RPC statistics.
    pub operations: BTreeMap<String, Operation>,
    /// The connections to the server.
    pub transports: Vec<Transport>,
}

/// RPC statistics of an operation since the mount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// Operations done.
    pub operations: u64,
    /// Transmissions, retransmissions included.
    pub transmissions: u64,
    /// Major timeouts.
    pub timeouts: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Time queued before transmission, in ms.
    pub queue_ms: u64,
    /// Time from transmission to reply, in ms.
    pub rtt_ms: u64,
    /// Time from start to end, in ms.
    pub execute_ms: u64,
    /// Operations that ended with an error; `None` in statistics before version 1.1.
    pub errors: Option<u64>,
}

/// An `xprt:` line (net/sunrpc/xprtsock.c).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transport {
    /// `tcp`, `udp`, `rdma`, `local`.
    pub protocol: String,
    /// Requests sent.
    pub sends: u64,
    /// Replies received.
    pub receives: u64,
    /// Replies that belong to no request.
    pub bad_xids: u64,
    /// Sum over sends of requests on the wire: divided by sends, the mean in flight.
    pub in_flight_sum: u64,
    /// Sum over sends of the backlog queue's length.
    pub backlog_sum: u64,
    /// The most slots ever in use.
    pub max_slots: Option<u64>,
    /// Sum over sends of the sending queue's length.
    pub sending_sum: Option<u64>,
    /// Sum over sends of the pending queue's length.
    pub pending_sum: Option<u64>,
}
