//! What can be wrong in this layer, one file each.

use crate::Cause;

mod backlog_above_somaxconn;
mod backlog_serves_departed;
mod backlog_short;
mod configuration_refused;
mod keepalive_pins_workers;
mod keepalive_without_keep_conn;
mod loopback_tcp;
mod memory_overcommitted;
mod pool_larger_than_database;
mod pool_saturated;
mod ramp_slow;
mod terminate_timeout_mismatch;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &pool_saturated::CAUSE,
    &ramp_slow::CAUSE,
    &backlog_short::CAUSE,
    &backlog_serves_departed::CAUSE,
    &backlog_above_somaxconn::CAUSE,
    &keepalive_pins_workers::CAUSE,
    &keepalive_without_keep_conn::CAUSE,
    &memory_overcommitted::CAUSE,
    &pool_larger_than_database::CAUSE,
    &loopback_tcp::CAUSE,
    &terminate_timeout_mismatch::CAUSE,
    &configuration_refused::CAUSE,
];
