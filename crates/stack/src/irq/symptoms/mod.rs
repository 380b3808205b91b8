//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod packets_dropped;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&packets_dropped::SYMPTOM];
