//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cli_path_relative;
mod io_class_inert;
mod runs_as_root;
mod timer_imprecise;
mod without_limits;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &cli_path_relative::CAUSE,
    &io_class_inert::CAUSE,
    &runs_as_root::CAUSE,
    &timer_imprecise::CAUSE,
    &without_limits::CAUSE,
];
