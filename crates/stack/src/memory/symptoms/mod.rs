//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod near_limit;
mod pressure;
mod swapping;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&near_limit::SYMPTOM, &pressure::SYMPTOM, &swapping::SYMPTOM];
