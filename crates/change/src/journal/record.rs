//! The rows of the journal.

use serde::{Deserialize, Serialize};

use crate::plan::Activation;
use crate::{ChangeError, Phase, State, Target};

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Being applied, or cut short while it was.
    Applying,
    /// Applied on trial: undone at the deadline unless confirmed.
    Trying,
    /// Being made lasting, or cut short while it was.
    Confirming,
    /// Applied to stay.
    Applied,
    /// Being undone, or cut short while it was, or left with steps that could not be restored.
    Undoing,
    /// Undone: nothing of it is left.
    Undone,
}

impl Status {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applying => "applying",
            Self::Trying => "trying",
            Self::Confirming => "confirming",
            Self::Applied => "applied",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all =
            [Self::Applying, Self::Trying, Self::Confirming, Self::Applied, Self::Undoing, Self::Undone];
        all.into_iter().find(|status| status.name() == name)
    }

    /// Whether it was cut short, so that only an undo may follow.
    pub fn is_interrupted(self) -> bool {
        matches!(self, Self::Applying | Self::Confirming | Self::Undoing)
    }

    /// Whether anything of it may be left on the host.
    pub fn is_live(self) -> bool {
        self != Self::Undone
    }
}

/// One target of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its place in the order of writing, from 0.
    pub sequence: u32,
    /// The changes of the plan that it serves.
    pub changes: Vec<String>,
    /// What is written to.
    pub target: Target,
    /// When it is written.
    pub phase: Phase,
    /// What the target held before this transaction.
    pub original: State,
    /// What the transaction makes of it.
    pub wanted: State,
    /// Whether the write was begun. A step that was not has nothing to undo.
    pub begun: bool,
    /// Whether it was put back.
    pub restored: bool,
}

/// A transaction as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its number, counted from 1, never used twice.
    pub id: i64,
    /// Where it stands.
    pub status: Status,
    /// When it began, in milliseconds since 1970.
    pub began_unix_ms: i64,
    /// When it last changed its status, in milliseconds since 1970.
    pub changed_unix_ms: i64,
    /// `/proc/sys/kernel/random/boot_id` when it began.
    pub boot_id: String,
    /// Who ran it: `SUDO_USER` or the login name, as far as known.
    pub user: Option<String>,
    /// The hash of the plan.
    pub plan_hash: String,
    /// When a trial ends, in milliseconds since 1970.
    pub deadline_unix_ms: Option<i64>,
    /// The process that will undo it at the deadline, and the tick at which that process started.
    pub dead_man: Option<(u32, u64)>,
    /// Services that take its files up.
    pub reloads: Vec<Activation>,
    /// Whether services have been asked to take files up, so that an undo must ask them again.
    pub reloaded: bool,
    /// Why it ended as it did, where it did not end well.
    pub outcome: Option<String>,
    /// Its targets, in the order of writing.
    pub steps: Vec<Step>,
}

/// The error for a number that no transaction has.
pub fn no_such(id: i64) -> ChangeError {
    ChangeError::new(format!("find transaction {id}"), "the journal has none of that number")
        .help("`narrows history` lists them")
}
