//! Keeps what is on trial.

use std::path::Path;
use std::time::Duration;

use super::apply::{outcome, write_steps};
use super::restore::restore;
use super::services::Checks;
use super::signals::HeldBack;
use super::{Outcome, dead_man};
use crate::ChangeError;
use crate::journal::{Journal, Lock, Status, Step};

/// Makes the transaction on trial last over a boot and dismisses its dead man.
///
/// # Errors
/// When nothing is on trial, a file it must write was changed since, or a step was refused. In the last case the
/// trial goes on as it was, and its dead man stays armed.
pub fn confirm(state_directory: &Path) -> Result<Outcome, ChangeError> {
    let journal = Journal::open_existing(state_directory)?.ok_or_else(nothing_on_trial)?;
    let _lock = Lock::take(state_directory, Duration::from_secs(10))?;
    let all = journal.transactions()?;
    let Some(trial) = all.into_iter().rfind(|transaction| transaction.status == Status::Trying) else {
        return Err(nothing_on_trial());
    };
    let (id, mut steps) = (trial.id, trial.steps);
    still_there(&steps)?;
    let _held_back = HeldBack::new();
    let checks = Checks::before(&steps)?;
    journal.set_status(id, Status::Confirming, None)?;
    let mut notes = Vec::new();
    let waiting: Vec<u32> = steps.iter().filter(|step| !step.begun).map(|step| step.sequence).collect();
    let written = write_steps(&journal, id, &mut steps, |_| true).and_then(|()| checks.after());
    let error = match written {
        Ok(more) => {
            notes.extend(more);
            None
        }
        Err(error) => Some(error),
    };
    if let Some(error) = error {
        steps.retain(|step| waiting.contains(&step.sequence));
        let left = restore(&journal, id, &steps, |_| true, &mut notes);
        if left.is_empty() {
            journal.set_status(id, Status::Trying, None)?;
            return Err(error);
        }
        return Err(error.help(format!("`narrows undo {id}` puts everything back")));
    }
    journal.set_status(id, Status::Applied, None)?;
    dead_man::dismiss(&journal, id);
    outcome(&journal, id, vec![], notes)
}

fn nothing_on_trial() -> ChangeError {
    ChangeError::new("confirm", "no transaction is on trial")
        .help("`narrows history` shows what became of it: a trial is undone at its deadline")
}

/// What was put on trial must still be what is there, and what is yet to be written must be as it was found.
fn still_there(steps: &[Step]) -> Result<(), ChangeError> {
    for step in steps {
        let now = step.target.kind().read()?;
        let expected = if step.begun { &step.wanted } else { &step.original };
        if !step.target.same(&now, expected) {
            let name = step.target.kind().name();
            return Err(ChangeError::new(format!("confirm {name}"), "it was changed during the trial")
                .help("`narrows undo` ends the trial; then make a new plan"));
        }
    }
    Ok(())
}
