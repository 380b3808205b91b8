//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod receive_drops;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&receive_drops::SYMPTOM];
