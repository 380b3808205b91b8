//! What can be wrong in this layer, one file each.

use crate::Cause;

mod saturated;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[&saturated::CAUSE];
