//! The limits of this layer.

use model::Station;

use crate::Evidence;

/// Every limit of the layer that was measured.
pub(super) fn stations(_evidence: &Evidence) -> Vec<Station> {
    vec![]
}
