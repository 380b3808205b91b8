//! What became of a transaction.

use serde::{Deserialize, Serialize};

use crate::journal::Transaction;

/// Something that an undo left as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The target's name.
    pub name: String,
    /// Why it was left.
    pub why: String,
    /// What to do about it.
    pub instead: String,
    /// Whether only its server could not be reached, so that it may go back later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreachable: bool,
}

/// A transaction after a command, and what could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The transaction as the journal has it now.
    pub transaction: Transaction,
    /// Where `undo.sh` and the copies lie.
    pub folder: String,
    /// What is left as it is.
    pub left: Vec<Left>,
    /// What to know besides: a service that does not run, a checker that is not installed.
    pub notes: Vec<String>,
}
