//! What is felt or seen in this layer.

use crate::Symptom;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[];
