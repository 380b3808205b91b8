//! What can be wrong in this layer, one file each.

use crate::Cause;

mod io_uring_waiters;
mod reading_inconsistent;
mod steal;
mod work_exceeds_cpus;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] =
    &[&work_exceeds_cpus::CAUSE, &steal::CAUSE, &io_uring_waiters::CAUSE, &reading_inconsistent::CAUSE];
