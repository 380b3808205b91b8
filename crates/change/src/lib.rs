//! The only code that changes a machine: plans, transactions that survive a crash, and their undoing.
//!
//! A [`model::Change`] says what a cause wants. Planning turns it into [`Operation`]s, each on one [`Target`]: one
//! thing with a state that can be read, written, verified and put back. A transaction journals every original state
//! before it writes the first byte, so that a crash at any point leaves what is needed to restore the host exactly.
#![allow(clippy::disallowed_methods, reason = "this crate is the one that may change a machine")]

mod activation;
mod checker;
mod edit;
mod error;
mod ethtool;
pub mod export;
pub mod journal;
pub mod kinds;
mod machine;
mod netlink;
mod operation;
#[cfg(test)]
mod own_namespaces;
pub mod owners;
pub mod plan;
mod program;
pub mod shell;
mod state;
mod target;
pub mod transaction;

pub use activation::{ActivationOutcome, activate};
pub use checker::{CheckOutcome, Checker, checker_of};
pub use edit::edited;
pub use error::ChangeError;
pub use operation::{Action, Operation, Phase};
pub use state::{Contents, FileState, QdiscState, State};
pub use target::{Kind, Target};
