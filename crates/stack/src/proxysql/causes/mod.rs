//! What can be wrong in this layer, one file each.

mod backend_shunned;
mod backends_above_server;
mod multiplexing_lost;
mod not_saved;
mod pool_exhausted;
mod pool_oversized;

use crate::Cause;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &backend_shunned::CAUSE,
    &backends_above_server::CAUSE,
    &multiplexing_lost::CAUSE,
    &not_saved::CAUSE,
    &pool_exhausted::CAUSE,
    &pool_oversized::CAUSE,
];
