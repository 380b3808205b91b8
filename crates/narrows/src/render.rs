//! A report as text.

pub(crate) mod advice;
pub(crate) mod human;
pub(crate) mod knee;
pub(crate) mod load;
pub(crate) mod markdown;
mod page;
pub(crate) mod plan;
pub(crate) mod profile;
pub(crate) mod proof;
pub(crate) mod query_plan;
pub(crate) mod transaction;
mod wording;
