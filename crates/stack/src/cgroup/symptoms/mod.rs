//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod throttled;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&throttled::SYMPTOM];
