//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod iowait_high;
mod load_high_while_idle;
mod saturated;
mod softirq_high;
mod steal_high;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[
    &saturated::SYMPTOM,
    &steal_high::SYMPTOM,
    &softirq_high::SYMPTOM,
    &iowait_high::SYMPTOM,
    &load_high_while_idle::SYMPTOM,
];
