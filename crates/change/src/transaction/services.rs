//! Programs that check edited files, and services that take them up.

use std::collections::BTreeSet;

use super::{Left, dead_man};
use crate::activation::{ActivationOutcome, activate};
use crate::checker::{CheckOutcome, Checker, checker_of};
use crate::journal::{Journal, Step};
use crate::plan::Activation;
use crate::{ChangeError, Target};

/// The programs that check the files of a transaction, and what each found wrong before anything was written.
#[derive(Debug)]
pub(super) struct Checks(Vec<(Checker, Option<Vec<String>>)>);

impl Checks {
    /// Runs each program once before the change, so that old faults are not held against it.
    ///
    /// # Errors
    /// When a program cannot be run, or stops at a fault that is there already and so would not read the change.
    pub(super) fn before(steps: &[Step]) -> Result<Self, ChangeError> {
        let paths = steps.iter().filter_map(|step| match &step.target {
            Target::File(file) => Some(file.path.as_str()),
            _ => None,
        });
        // Without systemd as the service manager nothing takes its files up, and their check waits for a bus in vain.
        let useful =
            |checker: &Checker| dead_man::systemd_runs() || !matches!(checker, Checker::Systemd { .. });
        let checkers: BTreeSet<_> = paths.filter_map(checker_of).filter(useful).collect();
        let found = checkers.into_iter().map(|checker| {
            let complaints = checker.complaints()?;
            if complaints.as_ref().is_some_and(|complaints| !complaints.is_empty()) && !checker.reads_on() {
                checker.run_after(complaints.as_deref())?;
            }
            Ok((checker, complaints))
        });
        found.collect::<Result<_, _>>().map(Self)
    }

    /// Runs each program again after the change. Returns notes.
    ///
    /// # Errors
    /// When one finds something wrong that it did not find before.
    pub(super) fn after(&self) -> Result<Vec<String>, ChangeError> {
        let mut notes = Vec::new();
        for (checker, before) in &self.0 {
            if checker.run_after(before.as_deref())? == CheckOutcome::NotInstalled {
                notes.push(format!(
                    "“{}” cannot run here, so its files were not checked",
                    checker.command().join(" ")
                ));
            }
        }
        Ok(notes)
    }
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

/// Has services that may have taken the files up do so again, now that the files are back: those that were told to, and
/// after a boot all of them, since they were started with the files as they were then. Returns what failed.
pub(super) fn take_up_again(
    journal: &Journal,
    id: i64,
    another_boot: bool,
    notes: &mut Vec<String>,
) -> Vec<Left> {
    let transaction = match journal.transaction(id) {
        Ok(transaction) => transaction,
        Err(error) => {
            notes.push(format!("{error}; services that took files up were not told that these are back"));
            return vec![];
        }
    };
    let has_files = transaction.steps.iter().any(|step| step.begun && matches!(step.target, Target::File(_)));
    if !(transaction.reloaded || another_boot && has_files) {
        return vec![];
    }
    let mut left = Vec::new();
    for reload in &transaction.reloads {
        match activate(reload) {
            Ok(outcome) => notes.extend(note((reload, outcome))),
            Err(error) => left.push(Left {
                name: reload.unit.clone(),
                why: format!("{}: {}", error.attempted, error.why),
                unreachable: false,
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
