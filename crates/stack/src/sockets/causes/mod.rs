//! What can be wrong in this layer, one file each.

use crate::Cause;

mod accept_queue_overflow;
mod ephemeral_ports_exhausted;
mod unix_queue_overflow;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &accept_queue_overflow::CAUSE,
    &ephemeral_ports_exhausted::CAUSE,
    //     &fin_timeout_for_time_wait::CAUSEfin_timeout_for_time_wait::CAUSE,
    //     &fin_wait2_pileup::CAUSEfin_wait2_pileup::CAUSE,
    //     &orphan_retries_low::CAUSEorphan_retries_low::CAUSE,
    //     &orphans_near_limit::CAUSEorphans_near_limit::CAUSE,
    //     &port_range_over_services::CAUSEport_range_over_services::CAUSE,
    //     &somaxconn_inert::CAUSEsomaxconn_inert::CAUSE,
    //     &syn_backlog_inert::CAUSEsyn_backlog_inert::CAUSE,
    //     &syn_queue_full::CAUSEsyn_queue_full::CAUSE,
    //     &syncookies_off::CAUSEsyncookies_off::CAUSE,
    //     &time_wait_buckets_changed::CAUSEtime_wait_buckets_changed::CAUSE,
    //     &time_wait_table_full::CAUSEtime_wait_table_full::CAUSE,
    //     &timestamps_off_with_reuse::CAUSEtimestamps_off_with_reuse::CAUSE,
    &unix_queue_overflow::CAUSE,
];
