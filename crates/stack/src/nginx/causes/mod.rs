//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cache_key_incomplete;
mod cache_leaks_cookies;
mod cache_serves_logged_in;
mod cache_stampede;
mod cache_unbounded;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &cache_key_incomplete::CAUSE,
    &cache_leaks_cookies::CAUSE,
    &cache_serves_logged_in::CAUSE,
    &cache_stampede::CAUSE,
    &cache_unbounded::CAUSE,
];
