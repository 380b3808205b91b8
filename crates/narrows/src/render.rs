//! A report as text.

pub(crate) mod human;
pub(crate) mod markdown;
mod page;
mod wording;
