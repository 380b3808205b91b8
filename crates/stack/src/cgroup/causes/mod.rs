//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cpu_hog;
mod cpu_quota_exhausted;
mod memory_limit_reached;

pub(crate) use cpu_hog::hog;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] =
    &[&cpu_hog::CAUSE, &cpu_quota_exhausted::CAUSE, &memory_limit_reached::CAUSE];
