//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cli_reset_inert;
mod debian_ini_overwritten;
mod disabled;
mod ini_not_parsed;
mod interned_exceeds_memory;
mod interned_strings_exhausted;
mod jit_without_benefit;
mod keys_exhausted;
mod memory_full;
mod preload_unsafe;
mod preload_useless;
mod revalidation_storm;
mod stale_code;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &memory_full::CAUSE,
    &keys_exhausted::CAUSE,
    &interned_strings_exhausted::CAUSE,
    &interned_exceeds_memory::CAUSE,
    &disabled::CAUSE,
    &debian_ini_overwritten::CAUSE,
    &ini_not_parsed::CAUSE,
    &revalidation_storm::CAUSE,
    &stale_code::CAUSE,
    &cli_reset_inert::CAUSE,
    &preload_unsafe::CAUSE,
    &preload_useless::CAUSE,
    &jit_without_benefit::CAUSE,
];
