//! `schema.attributes-as-rows`: queries over attributes that lie in rows (`wp_postmeta`), and the typed table that serves them.
//!
//! What a query asks of an attribute becomes a column: a condition with constants becomes a flag, computed by that very
//! condition, so that an entity with several rows of a key is found when any of them fits; what is compared with changing
//! constants, or ordered by, becomes a column of the type that the query compares as.

mod attribute;
mod find;
mod rewrite;
mod statistics;
mod table;

pub(crate) use attribute::{Typed, ValueOf, value_of};
pub(crate) use find::rows;
pub use find::{Declined, Found, find};
pub(crate) use rewrite::{Extra, Rewriter};
pub use statistics::KeyStatistics;
pub(crate) use table::{Meaning, Typing, empty, over_m, upkeep};
