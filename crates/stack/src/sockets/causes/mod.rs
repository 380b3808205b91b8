//! What can be wrong in this layer, one file each.

use crate::Cause;

mod accept_queue_overflow;
mod ephemeral_ports_exhausted;
mod fin_timeout_for_time_wait;
mod fin_wait2_pileup;
mod orphan_retries_low;
mod orphans_near_limit;
mod port_range_over_services;
mod somaxconn_inert;
mod syn_backlog_inert;
mod syn_queue_full;
mod syncookies_off;
mod time_wait_buckets_changed;
mod time_wait_table_full;
mod timestamps_off_with_reuse;
mod unix_queue_overflow;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &accept_queue_overflow::CAUSE,
    &ephemeral_ports_exhausted::CAUSE,
    &fin_timeout_for_time_wait::CAUSE,
    &fin_wait2_pileup::CAUSE,
    &orphan_retries_low::CAUSE,
    &orphans_near_limit::CAUSE,
    &port_range_over_services::CAUSE,
    &somaxconn_inert::CAUSE,
    &syn_backlog_inert::CAUSE,
    &syn_queue_full::CAUSE,
    &syncookies_off::CAUSE,
    &time_wait_buckets_changed::CAUSE,
    &time_wait_table_full::CAUSE,
    &timestamps_off_with_reuse::CAUSE,
    &unix_queue_overflow::CAUSE,
];
