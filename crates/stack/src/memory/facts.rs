//! Memory, as `/proc` gives it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The memory layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// `/proc/meminfo`, kB lines turned to bytes; lines without a unit (huge page counts) as they are.
    pub meminfo: BTreeMap<String, u64>,
    /// `/proc/vmstat`.
    pub vmstat: BTreeMap<String, u64>,
    /// `/proc/slabinfo`; `None` without root's rights.
    pub slabs: Option<Vec<Slab>>,
    /// `/proc/sys/fs/dentry-state`.
    pub dentries: Option<Dentries>,
    /// `vm.vfs_cache_pressure`.
    pub vfs_cache_pressure: Option<u64>,
    /// `vm.swappiness`.
    pub swappiness: Option<u64>,
    /// Lines or fields that could not be understood, and were skipped.
    pub skipped: u64,
    /// What the caller's rights do not reach, and what that would take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<model::Unread>,
}

/// A row of `/proc/slabinfo` (slabinfo(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slab {
    /// The cache's name.
    pub name: String,
    /// Objects in use.
    pub active_objects: u64,
    /// Objects in all.
    pub objects: u64,
    /// Bytes of an object.
    pub object_bytes: u64,
    /// Objects in a slab.
    pub objects_per_slab: u64,
    /// Pages of a slab.
    pub pages_per_slab: u64,
    /// Slabs in all.
    pub slabs: u64,
}

/// `/proc/sys/fs/dentry-state` (Documentation/admin-guide/sysctl/fs.rst).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dentries {
    /// Directory entries cached.
    pub total: u64,
    /// Of them, not in use.
    pub unused: u64,
    /// Of the unused, those of names that do not exist; `None` before Linux 5.0.
    pub negative: Option<u64>,
}
