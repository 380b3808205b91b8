//! What can be wrong in this layer, one file each.

use crate::Cause;

mod apcu_with_authoritative;
mod autoloader_not_authoritative;
mod code_on_network_filesystem;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &code_on_network_filesystem::CAUSE,
    &autoloader_not_authoritative::CAUSE,
    &apcu_with_authoritative::CAUSE,
];
