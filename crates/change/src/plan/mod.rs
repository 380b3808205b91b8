//! Plans: exact changes, bound to the state they were made from.

mod activation;
mod asked;
mod assemble;
mod boot;
mod choose;
mod differences;
mod hash;
mod lower;
mod lower_files;
mod lower_sql;
mod merge;
mod read;
mod refusals;
mod refusals_services;
mod refusals_sql;
mod settle;
mod states;
mod states_sql;
mod together;

use std::collections::BTreeMap;

use model::{Change, Observation, Severity};
use serde::{Deserialize, Serialize};

use crate::kinds::{Databases, NetworkNamespace};
use crate::{Operation, Phase};

pub use asked::{AskedFor, of_remedies};
pub use assemble::{plan, plan_with};
pub use choose::asks_for_changes;
pub(crate) use differences::REDACTED;
pub use differences::file_operations;
pub(crate) use lower_files::from_the_end;
pub use refusals::{Forbidden, forbidden};
pub use states::{LiveStates, States, TreeStates};

/// The version of the contract. Fields are added, never renamed.
pub const SCHEMA: &str = "narrows.plan/1";

/// What a plan is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOptions {
    /// The changes to keep, by their identity, by a cause that asks for them, or by its layer; all of them when empty.
    pub only: Vec<String>,
    /// The mildest severity that is acted on.
    pub severity: Severity,
    /// The remedy to take for a cause, by its number from 1; the first that narrows can carry out where none is named.
    pub remedy: BTreeMap<String, usize>,
    /// The network namespace that the report is about; `None` for that of narrows itself.
    pub namespace: Option<NetworkNamespace>,
    /// How databases are reached.
    pub databases: Databases,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            only: vec![],
            severity: Severity::Latent,
            remedy: BTreeMap::new(),
            namespace: None,
            databases: Databases::default(),
        }
    }
}

/// Everything `narrows apply` will do. Made twice from the same evidence and the same files, it is the same to the byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Digest of the host and of what each change writes, from which state: `sha256:` and 64 hexadecimal digits.
    /// Measured figures are not in it.
    pub hash: String,
    /// The host it is for.
    pub host: PlanHost,
    /// The changes, in the order in which they are made.
    pub changes: Vec<PlannedChange>,
    /// Files that the changes edit, each with the difference all of them make together.
    pub files: Vec<FileDifference>,
    /// Changes that narrows refuses to make, and why.
    pub refused: Vec<Refusal>,
    /// What only a person can do.
    pub by_hand: Vec<ByHand>,
}

/// The host a plan is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHost {
    /// Its name.
    pub name: Option<String>,
    /// `/etc/machine-id`.
    pub machine_id: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
}

/// One change, why it is made, and the operations that make it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// By what `--only` chooses it: the name of its first target. Unique in the plan.
    pub id: String,
    /// The causes that ask for it, the most severe first.
    pub causes: Vec<String>,
    /// How bad the first of them is.
    pub severity: Option<Severity>,
    /// The remedy it belongs to, in one line.
    pub remedy: String,
    /// The other remedies of the first cause, each with the number that chooses it: `2: title`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The numbers that decided: the summary of the first cause.
    pub why: String,
    /// The evidence of the first cause.
    pub evidence: Vec<Observation>,
    /// The metric it promises to move.
    pub moves: String,
    /// The figure that falls where the promise is kept, as [`model::Remedy::metric`] names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What the cause asked for: the value now, the target with its formula, owner, coupled keys, restart, risk.
    pub change: Change,
    /// The steps, in order. Their `Lasting` ones make it last over a boot.
    pub operations: Vec<Operation>,
    /// Units to reload once files have been written and checked.
    pub reloads: Vec<Activation>,
    /// The writes to the running kernel as lines of shell. What is made of files stands in [`Plan::files`].
    pub shell: Vec<String>,
}

/// A service that must take a changed file up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Activation {
    /// The systemd unit.
    pub unit: String,
    /// Whether connections and requests survive it.
    pub how: ActivationKind,
}

impl Activation {
    /// Whether requests are lost while it happens. irqbalance serves none, and holds nothing that it would lose.
    pub fn is_disruptive(&self) -> bool {
        self.how == ActivationKind::Restart && self.unit != "irqbalance.service"
    }
}

/// How a service takes a changed file up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationKind {
    /// `systemctl daemon-reload`, after which resource limits of a drop-in hold. It comes before a restart, which
    /// otherwise starts the unit with its old drop-ins.
    DaemonReload,
    /// It rereads its files and serves on.
    Reload,
    /// It ends and begins anew; done only with `--restart`.
    Restart,
    /// A timer counts as its file says from now on, and no more where the file is gone.
    Timer,
}

/// What the changes make of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDifference {
    /// The file.
    pub path: String,
    /// When it is written.
    pub phase: Phase,
    /// The difference in unified format with three lines around each change, secrets removed.
    pub difference: String,
    /// The digest of the file as it is; `None` where there is none yet.
    pub before_sha256: Option<String>,
    /// The digest of the file as the changes make it.
    pub after_sha256: Option<String>,
    /// The difference for patch(1), without lines around it, where no changed line holds a secret.
    pub patch: Option<String>,
}

/// A change that narrows does not make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The causes that ask for it.
    pub causes: Vec<String>,
    /// The change.
    pub change: Change,
    /// Why not.
    pub because: String,
    /// Who manages this, as a program's name or `file:line`.
    pub owner: Option<String>,
    /// How to come to an agreement with the owner, or what to do instead.
    pub instead: String,
}

/// What only a person can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ByHand {
    /// The cause that asks for it.
    pub cause: String,
    /// The remedy it belongs to.
    pub remedy: String,
    /// What to do.
    pub change: Change,
    /// The metric it promises to move.
    pub moves: String,
}

/// Whether a word is one of these causes, or the layer of one.
pub(crate) fn names_one(word: &str, causes: &[String]) -> bool {
    let layer = |cause: &str| cause.split('.').next().is_some_and(|layer| layer == word);
    causes.iter().any(|cause| cause == word || layer(cause))
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod refusals_tests;

#[cfg(test)]
mod network_tests;

#[cfg(test)]
mod sql_tests;

#[cfg(test)]
mod timer_tests;
