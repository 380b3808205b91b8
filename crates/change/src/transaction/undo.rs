//! Undoes a transaction.

use std::path::PathBuf;
use std::time::Duration;

use super::apply::outcome;
use super::restore::{Manner, restore};
use super::services::take_up_again;
use super::signals::HeldBack;
use super::{Outcome, dead_man};
use crate::ChangeError;
use crate::journal::{Journal, Lock, Status, Transaction, no_such};
use crate::machine::boot_id;

/// What to undo, and how.
#[derive(Debug, Clone)]
pub struct UndoOptions {
    /// Where the journal lies.
    pub state_directory: PathBuf,
    /// Which transaction; the latest that has anything left when `None`.
    pub id: Option<i64>,
    /// Put the originals back even where somebody changed a value since.
    pub force: bool,
    /// Only if it is not confirmed: what a dead man does.
    pub unless_confirmed: bool,
    /// How long to wait for another narrows to end.
    pub patience: Duration,
    /// What history says of it, besides that it was undone.
    pub why: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub enum Undo {
    /// There is nothing to undo.
    Nothing,
    /// It was confirmed in time, or undone before.
    NotNeeded(Transaction),
    /// What was there is there again, but for what the outcome lists.
    Done(Outcome),
}

/// Undoes one transaction: every step that it began, the last first.
///
/// It goes on over what cannot be put back, and lists it; running it again tries again.
///
/// # Errors
/// When there is none of that number, a later one must be undone first, or the journal cannot be read.
pub fn undo(options: &UndoOptions) -> Result<Undo, ChangeError> {
    if !Journal::exists(&options.state_directory)? {
        return options.id.map_or(Ok(Undo::Nothing), |id| Err(no_such(id)));
    }
    let _lock = Lock::take(&options.state_directory, options.patience)?;
    let journal = Journal::open(&options.state_directory)?;
    let all = journal.transactions()?;
    let live = |transaction: &&Transaction| transaction.status.is_live();
    let Some(id) = options.id.or_else(|| all.iter().rfind(live).map(|transaction| transaction.id)) else {
        return Ok(Undo::Nothing);
    };
    let transaction = journal.transaction(id)?;
    let confirmed = options.unless_confirmed && transaction.status == Status::Applied;
    if !transaction.status.is_live() || confirmed {
        return Ok(Undo::NotNeeded(transaction));
    }
    later_first(&transaction, &all)?;
    let _held_back = HeldBack::new();
    let mut notes = Vec::new();
    // A full disk must not keep the host from being put back: the journal still has all that is needed to go on.
    if let Err(error) = journal.set_status(id, Status::Undoing, None) {
        notes.push(error.to_string());
    }
    let another_boot = boot_id().is_ok_and(|boot| boot != transaction.boot_id);
    let manner = Manner { force: options.force, another_boot };
    let mut left = restore(&journal, id, &transaction.steps, |_| manner, &mut notes);
    left.extend(take_up_again(&journal, id, another_boot, &mut notes));
    if left.is_empty() {
        if let Err(error) = journal.set_status(id, Status::Undone, options.why.as_deref()) {
            notes.push(error.to_string());
        }
        dead_man::dismiss(&journal, id);
    }
    outcome(&journal, id, left, notes).map(Undo::Done)
}

/// What a later transaction found on a target is what this one wrote: it must go first.
fn later_first(transaction: &Transaction, all: &[Transaction]) -> Result<(), ChangeError> {
    let shares = |later: &&Transaction| {
        later.id > transaction.id
            && later.status.is_live()
            && later.steps.iter().any(|step| {
                step.begun && transaction.steps.iter().any(|earlier| earlier.target == step.target)
            })
    };
    let Some(later) = all.iter().rfind(shares) else { return Ok(()) };
    let why = format!("transaction {} changed some of the same targets after it", later.id);
    Err(ChangeError::new(format!("undo transaction {}", transaction.id), why)
        .help(format!("`narrows undo {}` first", later.id)))
}
