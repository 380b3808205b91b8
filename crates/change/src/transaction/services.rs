//! Programs that check edited files, and services that take them up.

use std::collections::BTreeSet;

use super::Left;
use crate::activation::{ActivationOutcome, activate};
use crate::checker::{CheckOutcome, checker_of};
use crate::journal::{Journal, Step};
use crate::plan::Activation;
use crate::{ChangeError, Target};

/// Has every file among the steps checked by its own program. Returns notes.
///
/// Called before the first write too: a configuration that is wrong already would make the change look guilty.
pub(super) fn check(steps: &[Step]) -> Result<Vec<String>, ChangeError> {
    let paths = steps.iter().filter_map(|step| match &step.target {
        Target::File(file) => Some(file.path.as_str()),
        _ => None,
    });
    let checkers: BTreeSet<_> = paths.filter_map(checker_of).collect();
    let mut notes = Vec::new();
    for checker in checkers {
        match checker.run()? {
            CheckOutcome::Passed => {}
            CheckOutcome::NotInstalled { program } => {
                notes.push(format!("{program} is not installed, so the file was not checked"));
            }
        }
    }
    Ok(notes)
}

/// Has services take up the files that were written. Returns notes.
pub(super) fn services_take_up(
    journal: &Journal,
    id: i64,
    reloads: &[Activation],
) -> Result<Vec<String>, ChangeError> {
    if reloads.is_empty() {
        return Ok(vec![]);
    }
    journal.begin_reload(id)?;
    let outcomes: Result<Vec<_>, _> = reloads.iter().map(|reload| Ok((reload, activate(reload)?))).collect();
    Ok(outcomes?.into_iter().filter_map(note).collect())
}

/// Has services that may have taken the files up do so again, now that the files are back. Returns what failed.
pub(super) fn take_up_again(journal: &Journal, id: i64, notes: &mut Vec<String>) -> Vec<Left> {
    let Ok(transaction) = journal.transaction(id) else { return vec![] };
    if !transaction.reloaded {
        return vec![];
    }
    let mut left = Vec::new();
    for reload in &transaction.reloads {
        match activate(reload) {
            Ok(outcome) => notes.extend(note((reload, outcome))),
            Err(error) => left.push(Left {
                name: reload.unit.clone(),
                why: format!("{}: {}", error.attempted, error.why),
                instead: error.help.unwrap_or_else(|| "have it take its files up by hand".to_owned()),
            }),
        }
    }
    left
}

fn note((reload, outcome): (&Activation, ActivationOutcome)) -> Option<String> {
    match outcome {
        ActivationOutcome::Done => None,
        ActivationOutcome::NotRunning => {
            Some(format!("{} does not run, so there was nothing to reload", reload.unit))
        }
    }
}
