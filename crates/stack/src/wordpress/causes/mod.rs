//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cron_in_requests;
mod cron_never_runs;
mod debug_on;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[&cron_in_requests::CAUSE, &cron_never_runs::CAUSE, &debug_on::CAUSE];
