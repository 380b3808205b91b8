//! What can be wrong in this layer, one file each.

use crate::Cause;

mod queues_unused;
mod receive_ring_short;
mod small_packets;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] =
    &[&receive_ring_short::CAUSE, &queues_unused::CAUSE, &small_packets::CAUSE];
