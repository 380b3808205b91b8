//! What is felt or seen in this layer, one file each.

use crate::Symptom;

mod connections_refused;
mod ports_scarce;
mod retransmissions_high;

pub(super) use ports_scarce::SCARCE;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] =
    &[&connections_refused::SYMPTOM, &ports_scarce::SYMPTOM, &retransmissions_high::SYMPTOM];
