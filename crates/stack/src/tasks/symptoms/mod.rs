//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod stuck;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&stuck::SYMPTOM];
