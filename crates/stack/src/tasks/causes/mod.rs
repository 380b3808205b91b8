//! What can be wrong in this layer, one file each.

use crate::Cause;

mod waiting_on_disk;
mod waiting_on_frozen_filesystem;
mod waiting_on_fuse;
mod waiting_on_lock;
mod waiting_on_network_filesystem;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &waiting_on_network_filesystem::CAUSE,
    &waiting_on_frozen_filesystem::CAUSE,
    &waiting_on_disk::CAUSE,
    &waiting_on_fuse::CAUSE,
    &waiting_on_lock::CAUSE,
];
