//! What can be wrong in this layer, one file each.

use crate::Cause;

mod accept_queue_overflow;
mod congestion_control_unavailable;
mod core_buffers_for_autotuning;
mod ephemeral_ports_exhausted;
mod fastopen_key_zero;
mod fastopen_without_listener;
mod fin_timeout_for_time_wait;
mod fin_wait2_pileup;
mod loss_limits_cubic;
mod optmem_huge;
mod orphan_retries_low;
mod orphans_near_limit;
mod port_range_over_services;
mod receive_buffer_short;
mod receive_default_lowered;
mod send_buffer_short;
mod slow_start_after_idle;
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
    &congestion_control_unavailable::CAUSE,
    &core_buffers_for_autotuning::CAUSE,
    &ephemeral_ports_exhausted::CAUSE,
    &fastopen_key_zero::CAUSE,
    &fastopen_without_listener::CAUSE,
    &fin_timeout_for_time_wait::CAUSE,
    &fin_wait2_pileup::CAUSE,
    &loss_limits_cubic::CAUSE,
    &optmem_huge::CAUSE,
    &orphan_retries_low::CAUSE,
    &orphans_near_limit::CAUSE,
    &port_range_over_services::CAUSE,
    &receive_buffer_short::CAUSE,
    &receive_default_lowered::CAUSE,
    &send_buffer_short::CAUSE,
    &slow_start_after_idle::CAUSE,
    &somaxconn_inert::CAUSE,
    &syn_backlog_inert::CAUSE,
    &syn_queue_full::CAUSE,
    &syncookies_off::CAUSE,
    &time_wait_buckets_changed::CAUSE,
    &time_wait_table_full::CAUSE,
    &timestamps_off_with_reuse::CAUSE,
    &unix_queue_overflow::CAUSE,
];
