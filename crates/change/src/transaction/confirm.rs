//! Keeps what is on trial.

use std::path::Path;
use std::time::Duration;

use super::apply::{Stopped, outcome, write_steps};
use super::restore::{Manner, restore};
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
    if !Journal::exists(state_directory)? {
        return Err(nothing_on_trial());
    }
    let _lock = Lock::take(state_directory, Duration::from_secs(10))?;
    let journal = Journal::open(state_directory)?;
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
    let written =
        write_steps(&journal, id, &mut steps, |_| true, &mut notes).and_then(|()| Ok(checks.after()?));
    match written {
        Ok(more) => notes.extend(more),
        Err(Stopped { error, writing }) => {
            steps.retain(|step| waiting.contains(&step.sequence));
            let in_writing =
                |step: &Step| Manner { force: Some(step.sequence) == writing, another_boot: false };
            let left = restore(&journal, id, &steps, in_writing, &mut notes);
            if left.is_empty() {
                // Where this is refused, the transaction counts as cut short, and its dead man undoes it.
                journal.back_to_trial(id)?;
                return Err(error);
            }
            return Err(error.help(format!("`narrows undo {id}` puts everything back")));
        }
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
        let as_found = !step.begun && step.target.same(&now, &step.original);
        if !as_found && !step.target.same(&now, &step.wanted) {
            let name = step.target.kind().name();
            return Err(ChangeError::new(format!("confirm {name}"), "it was changed during the trial")
                .help("`narrows undo` ends the trial; then make a new plan"));
        }
    }
    Ok(())
}
