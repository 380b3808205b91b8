//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod answers;
mod bad_gateway;
mod first_byte_slow;
mod gateway_timeout;
mod periodic_stall;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] =
    &[&bad_gateway::SYMPTOM, &gateway_timeout::SYMPTOM, &first_byte_slow::SYMPTOM, &periodic_stall::SYMPTOM];
