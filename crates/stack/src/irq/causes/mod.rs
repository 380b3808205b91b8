//! What can be wrong in this layer, one file each.

use crate::Cause;

mod backlog_raised_without_drops;
mod backlog_short;
mod irqbalance;
mod irqbalance_fights;
mod napi_budget_short;
mod skew;
mod spread;
mod steering_on_full_queues;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &skew::CAUSE,
    &backlog_short::CAUSE,
    &napi_budget_short::CAUSE,
    &steering_on_full_queues::CAUSE,
    &irqbalance_fights::CAUSE,
    &backlog_raised_without_drops::CAUSE,
];
