//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod pressure;
mod swapping;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&pressure::SYMPTOM, &swapping::SYMPTOM];
