//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cache_pressure_inert;
mod dentry_flood;
mod reclaim_stalls;
mod slab_table_inconsistent;
mod swap_thrash;
mod swappiness_inert;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &reclaim_stalls::CAUSE,
    &swap_thrash::CAUSE,
    &dentry_flood::CAUSE,
    &cache_pressure_inert::CAUSE,
    &swappiness_inert::CAUSE,
    &slab_table_inconsistent::CAUSE,
];
