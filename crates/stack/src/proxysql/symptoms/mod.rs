//! What is felt or seen in this layer.

mod connect_timeouts;

use crate::Symptom;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] = &[&connect_timeouts::SYMPTOM];
