//! What can be wrong in this layer, one file each.

use crate::Cause;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[];
