//! What can be wrong in this layer, one file each.

use crate::Cause;

mod attribute_expiry;
mod data_waits;
mod lookupcache_positive;
mod noatime_inert;
mod server_slow;
mod slot_exhaustion;
mod soft_mount;
mod unresponsive_server;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &unresponsive_server::CAUSE,
    &slot_exhaustion::CAUSE,
    &server_slow::CAUSE,
    &attribute_expiry::CAUSE,
    &data_waits::CAUSE,
    &soft_mount::CAUSE,
    &lookupcache_positive::CAUSE,
    &noatime_inert::CAUSE,
];
