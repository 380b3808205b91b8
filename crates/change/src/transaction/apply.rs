//! Applies a plan.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dead_man::{self, DeadManOrder};
use super::prepare::{Prepared, prepare, selected};
use super::restore::{Manner, restore};
use super::services::{Checks, services_take_up};
use super::signals::HeldBack;
use super::{Left, Outcome};
use crate::journal::{Journal, Lock, NewTransaction, Status, Step};
use crate::machine::now_unix_ms;
use crate::plan::{Plan, PlanHost};
use crate::{ChangeError, Phase, Target};

/// How a plan is applied.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// Where the journal lies.
    pub state_directory: PathBuf,
    /// Changes or causes to apply, by name; all when empty.
    pub only: Vec<String>,
    /// Undo it after this long unless confirmed.
    pub trial: Option<Duration>,
    /// Restart services that do not take a change up by a reload.
    pub restart: bool,
}

/// What became of it.
#[derive(Debug)]
pub enum Applied {
    /// Everything the plan asks for holds already.
    Nothing,
    /// It is done.
    Done(Outcome),
    /// A step was refused, and what was begun was put back.
    PutBack {
        /// What was refused.
        error: ChangeError,
        /// The transaction, and what could not be put back.
        outcome: Outcome,
    },
}

/// Applies a plan: all of it, or nothing.
///
/// # Errors
/// Before anything was written: when the plan is of another host, when another transaction is running, was cut short or is on trial, when the host has
/// moved away from the state the plan was made from, when a file's own program already finds it wrong, or when the
/// journal cannot be written.
pub fn apply(plan: &Plan, options: &ApplyOptions) -> Result<Applied, ChangeError> {
    let changes = selected(plan, &options.only)?;
    of_this_host(&plan.host)?;
    let _lock = Lock::take(&options.state_directory, Duration::ZERO)?;
    let mut journal = Journal::open(&options.state_directory)?;
    may_begin(&journal)?;
    let mut prepared = prepare(&changes, options.restart)?;
    if prepared.steps.is_empty() {
        return Ok(Applied::Nothing);
    }
    let checks = Checks::before(&prepared.steps)?;
    let plan_json = serde_json::to_vec_pretty(plan)
        .map_err(|error| ChangeError::new("write the plan down", error.to_string()))?;
    let _held_back = HeldBack::new();
    let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let id = journal.begin(&NewTransaction {
        plan_hash: &plan.hash,
        plan_json: &plan_json,
        deadline_unix_ms: options.trial.map(|trial| now_unix_ms().saturating_add(milliseconds(trial))),
        reloads: &prepared.reloads,
        steps: &prepared.steps,
    })?;
    let done = match arm(&journal, id, options, &prepared.steps) {
        Ok(()) => carry_out(&journal, id, &mut prepared, &checks, options),
        Err(error) => Err(error.into()),
    };
    finish(&journal, id, prepared, done)
}

/// Looks whether a plan could be applied now, and how many writes that takes. Nothing is written.
///
/// # Errors
/// As [`apply()`], for what can be known beforehand.
pub fn rehearse(plan: &Plan, options: &ApplyOptions) -> Result<usize, ChangeError> {
    let changes = selected(plan, &options.only)?;
    of_this_host(&plan.host)?;
    if let Some(journal) = Journal::open_existing(&options.state_directory)? {
        may_begin(&journal)?;
    }
    prepare(&changes, options.restart).map(|prepared| prepared.steps.len())
}

/// A plan holds the numbers of the host it was made on. Its `/etc/machine-id` tells hosts apart (machine-id(5)); its
/// name does where it has none.
fn of_this_host(planned: &PlanHost) -> Result<(), ChangeError> {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let (what, wanted, here) = match (&planned.machine_id, &planned.name) {
        (Some(id), _) => ("machine-id", id, read("/etc/machine-id")),
        (None, Some(name)) => ("name", name, read("/proc/sys/kernel/hostname")),
        (None, None) => return Ok(()),
    };
    if here.as_ref() == Some(wanted) {
        return Ok(());
    }
    let name = planned.name.as_deref().unwrap_or("another host");
    let here = here.as_deref().unwrap_or("none");
    let why = format!("it was made for {name} with {what} {wanted}, and this host has {here}");
    Err(ChangeError::new("apply the plan", why).help("make a plan on this host: `narrows plan`"))
}

/// A transaction that was cut short must be undone before the next one reads its originals: they would be the values
/// that the first one wrote.
fn may_begin(journal: &Journal) -> Result<(), ChangeError> {
    for earlier in journal.transactions()? {
        let id = earlier.id;
        if earlier.status.is_interrupted() {
            let why = format!("transaction {id} was cut short while {}", earlier.status.name());
            return Err(ChangeError::new("begin a transaction", why)
                .help(format!("`narrows undo {id}` puts back what it had begun")));
        }
        if earlier.status == Status::Trying {
            return Err(ChangeError::new("begin a transaction", format!("transaction {id} is on trial"))
                .help("`narrows confirm` keeps it, `narrows undo` takes it back"));
        }
    }
    Ok(())
}

fn arm(journal: &Journal, id: i64, options: &ApplyOptions, steps: &[Step]) -> Result<(), ChangeError> {
    let Some(after) = options.trial else { return Ok(()) };
    let databases = steps.iter().any(|step| matches!(step.target, Target::SqlStatement(_)));
    let order = DeadManOrder { id, state_directory: journal.directory().to_owned(), after, databases };
    match dead_man::arm(&order)? {
        Some(process) => journal.set_dead_man(id, process),
        None => Ok(()),
    }
}

fn carry_out(
    journal: &Journal,
    id: i64,
    prepared: &mut Prepared,
    checks: &Checks,
    options: &ApplyOptions,
) -> Result<(), Stopped> {
    let last = if options.trial.is_some() { Phase::Now } else { Phase::Lasting };
    write_steps(journal, id, &mut prepared.steps, |phase| phase <= last, &mut prepared.notes)?;
    prepared.notes.extend(checks.after()?);
    prepared.notes.extend(services_take_up(journal, id, &prepared.reloads)?);
    let status = if options.trial.is_some() { Status::Trying } else { Status::Applied };
    Ok(journal.set_status(id, status, None)?)
}

/// What stopped a transaction, and the step that was being written then. That one may hold what neither the plan nor
/// the host had, and is ours all the same.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) error: ChangeError,
    pub(super) writing: Option<u32>,
}

impl From<ChangeError> for Stopped {
    fn from(error: ChangeError) -> Self {
        Self { error, writing: None }
    }
}

/// Writes steps of a phase, each noted before and read back after. Adds notes of what was taken for what was wanted.
pub(super) fn write_steps(
    journal: &Journal,
    id: i64,
    steps: &mut [Step],
    in_phase: impl Fn(Phase) -> bool,
    notes: &mut Vec<String>,
) -> Result<(), Stopped> {
    for step in steps.iter_mut().filter(|step| !step.begun && in_phase(step.phase)) {
        if holds_already(step)? {
            continue;
        }
        journal.begin_step(id, step.sequence)?;
        step.begun = true;
        let sequence = step.sequence;
        let stopped = |error| Stopped { error, writing: Some(sequence) };
        if let Some(note) = write(step).map_err(stopped)? {
            journal.took(id, sequence, &step.wanted).map_err(stopped)?;
            notes.push(note);
        }
    }
    Ok(())
}

/// Whether a step before this one brought the value along, so that it is not ours to write nor to undo.
///
/// Between the reading of the originals and this write, checks have run, and services may have been restarted: time
/// enough for an administrator to save a file.
///
/// # Errors
/// When what is there is neither the original nor what is wanted.
fn holds_already(step: &Step) -> Result<bool, ChangeError> {
    let now = step.target.kind().read()?;
    if step.target.same(&now, &step.original) {
        return Ok(false);
    }
    if step.target.same(&now, &step.wanted) {
        return Ok(true);
    }
    let why = format!("somebody changed it meanwhile: {}", step.target.kind().shown(&now));
    Err(ChangeError::new(format!("change {}", step.target.kind().name()), why)
        .help("make a new plan: `narrows plan`"))
}

/// Writes a step and reads it back. Where something else than what was wanted is accepted, that is the wanted state from
/// then on, and the note says so.
fn write(step: &mut Step) -> Result<Option<String>, ChangeError> {
    let kind = step.target.kind();
    kind.write(&step.wanted)?;
    let now = kind.read()?;
    if step.target.same(&now, &step.wanted) {
        return Ok(None);
    }
    if let Some(note) = kind.accepted(&now, &step.original, &step.wanted) {
        step.wanted = now;
        return Ok(Some(note));
    }
    let why = format!("{} was written and {} is there", kind.shown(&step.wanted), kind.shown(&now));
    Err(ChangeError::new(format!("change {}", kind.name()), why)
        .help("the kernel, the server or another program set it to something else"))
}

fn finish(
    journal: &Journal,
    id: i64,
    mut prepared: Prepared,
    done: Result<(), Stopped>,
) -> Result<Applied, ChangeError> {
    let Err(Stopped { error, writing }) = done else {
        return Ok(Applied::Done(outcome(journal, id, vec![], prepared.notes)?));
    };
    let left = put_back(journal, id, &prepared.steps, writing, &mut prepared.notes);
    let why = format!("{error}");
    let status = if left.is_empty() { Status::Undone } else { Status::Undoing };
    if let Err(unwritten) = journal.set_status(id, status, Some(&why)) {
        prepared.notes.push(format!("{unwritten}; `narrows undo {id}` will find what is done already"));
    }
    Ok(Applied::PutBack { error, outcome: outcome(journal, id, left, prepared.notes)? })
}

/// Puts back what this process began a moment ago.
fn put_back(
    journal: &Journal,
    id: i64,
    steps: &[Step],
    writing: Option<u32>,
    notes: &mut Vec<String>,
) -> Vec<Left> {
    let mut left = restore(
        journal,
        id,
        steps,
        |step| Manner { force: Some(step.sequence) == writing, another_boot: false },
        notes,
    );
    left.extend(super::services::take_up_again(journal, id, false, notes));
    dead_man::dismiss(journal, id);
    left
}

pub(super) fn outcome(
    journal: &Journal,
    id: i64,
    left: Vec<Left>,
    notes: Vec<String>,
) -> Result<Outcome, ChangeError> {
    let folder = shown_path(&journal.folder(id));
    Ok(Outcome { transaction: journal.transaction(id)?, folder, left, notes })
}

fn shown_path(path: &Path) -> String {
    path.display().to_string()
}
