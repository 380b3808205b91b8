//! What can be wrong in this layer, one file each.

use crate::Cause;

mod congestion_control_unavailable;
mod core_buffers_for_autotuning;
mod fastopen_key_zero;
mod fastopen_without_listener;
mod loss_limits_cubic;
mod optmem_huge;
mod receive_buffer_short;
mod receive_default_lowered;
mod send_buffer_short;
mod slow_start_after_idle;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &congestion_control_unavailable::CAUSE,
    &core_buffers_for_autotuning::CAUSE,
    &fastopen_key_zero::CAUSE,
    &fastopen_without_listener::CAUSE,
    &loss_limits_cubic::CAUSE,
    &optmem_huge::CAUSE,
    &receive_buffer_short::CAUSE,
    &receive_default_lowered::CAUSE,
    &send_buffer_short::CAUSE,
    &slow_start_after_idle::CAUSE,
];
