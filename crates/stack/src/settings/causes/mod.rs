//! What can be wrong in the files of kernel parameters, one file each.

use crate::Cause;

mod dangerous_at_boot;
mod file_not_read;
mod not_applied;
mod overridden;
mod trailing_comment;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &dangerous_at_boot::CAUSE,
    &file_not_read::CAUSE,
    &not_applied::CAUSE,
    &overridden::CAUSE,
    &trailing_comment::CAUSE,
];
