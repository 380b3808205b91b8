//! What can be wrong in the files of kernel parameters, one file each.

use crate::Cause;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[];
