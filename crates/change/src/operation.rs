//! One reversible step.

use model::Edit;
use serde::{Deserialize, Serialize};

use crate::Target;

/// One step of a plan: what it writes to, what it makes of it, and from which state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What is written to.
    pub target: Target,
    /// What is made of it.
    pub action: Action,
    /// When it is done.
    pub phase: Phase,
    /// The fingerprint of the state the plan was made from.
    pub before: String,
}

/// What is made of a target. With the state before, it decides the state after; nothing is left to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// It holds this value.
    Set {
        /// The value.
        value: String,
    },
    /// These mount options are set and removed, the others stay.
    Options {
        /// Options to set.
        set: Vec<String>,
        /// Names of options to take out.
        remove: Vec<String>,
    },
    /// A file is edited, or made (root's, mode 0644) and edited where it does not exist.
    Edit {
        /// The edits, in order.
        edits: Vec<Edit>,
    },
    /// A symbolic link is made.
    Link {
        /// Where it points.
        to: String,
    },
    /// A kernel module is loaded.
    Load,
    /// A statement is done.
    Run,
}

/// When an operation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// With the change itself.
    Now,
    /// When the change is there to stay: at once, or at `narrows confirm` after `--try`. What is done then makes it
    /// last over a boot, so that a boot alone undoes a change on trial.
    Lasting,
}
