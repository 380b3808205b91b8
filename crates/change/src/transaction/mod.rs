//! Transactions: all of a plan or nothing of it, and back again from any point.
//!
//! The order of one: read every original and compare it with the plan; journal all of them (on disk); arm the dead
//! man; then for each step note that it begins, write, read back; check edited files with their own programs; have
//! services take them up; note the end. Any failure puts back what was begun, the last first.

mod apply;
mod confirm;
mod dead_man;
mod prepare;
mod report;
mod restore;
mod services;
mod signals;
mod undo;

pub use apply::{Applied, ApplyOptions, apply, rehearse};
pub use confirm::confirm;
pub use dead_man::{DeadManOrder, undo_unless_confirmed, wait_and_undo};
pub use prepare::selected;
pub use report::{Left, Outcome};
pub use undo::{Undo, UndoOptions, undo};

#[cfg(test)]
mod tests;
