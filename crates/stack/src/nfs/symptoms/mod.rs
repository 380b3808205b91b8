//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod latency_high;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&latency_high::SYMPTOM];
