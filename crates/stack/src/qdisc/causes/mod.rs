//! What can be wrong in this layer, one file each.

use crate::Cause;

mod default_not_applied;
mod queue_overflows;
mod root_without_multiqueue;
mod shaper_above_the_link;
mod standing_queue;
mod transmit_queue_length_inert;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &standing_queue::CAUSE,
    &queue_overflows::CAUSE,
    &root_without_multiqueue::CAUSE,
    &default_not_applied::CAUSE,
    &shaper_above_the_link::CAUSE,
    &transmit_queue_length_inert::CAUSE,
];
