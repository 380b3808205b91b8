//! Puts one step back, and never overwrites what somebody else wrote.

use crate::journal::{Journal, Step};
use crate::{ChangeError, Kind, State, Target};

use super::Left;

/// How a step is put back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    /// Also where somebody changed the value since.
    pub(super) force: bool,
    /// The machine was started anew since the step was written, which took every value of the kernel with it.
    pub(super) another_boot: bool,
}

/// Puts back every step that was begun and not restored, the last first. Goes on over failures; returns what is left.
pub(super) fn restore(
    journal: &Journal,
    id: i64,
    steps: &[Step],
    manner: impl Fn(&Step) -> Manner,
    notes: &mut Vec<String>,
) -> Vec<Left> {
    let mut left = Vec::new();
    for step in steps.iter().rev().filter(|step| step.begun && !step.restored) {
        match step_back(step, manner(step)) {
            Ok(note) => {
                notes.extend(note);
                // The host is right whether or not the journal can say so; an undo that runs again finds it so.
                if let Err(error) = journal.restored_step(id, step.sequence) {
                    notes.push(error.to_string());
                }
            }
            Err(because) => left.push(because),
        }
    }
    left
}

/// Puts one step back. Returns what to know besides.
fn step_back(step: &Step, manner: Manner) -> Result<Option<String>, Left> {
    let kind = step.target.kind();
    let left = |error: ChangeError| Left {
        name: kind.name(),
        why: format!("{}: {}", error.attempted, error.why),
        unreachable: error.errno == Some(libc::ENOTCONN),
        instead: error.help.unwrap_or_else(|| "mend that, then run `narrows undo` again".to_owned()),
    };
    if kind.goes_with_an_earlier_one() {
        return kind.end_what_was_left().map(|()| None).map_err(left);
    }
    let now = read(step, manner).map_err(left)?;
    if step.target.same(&now, &step.original) {
        return sweep(step).map(|()| None).map_err(left);
    }
    if now == State::Absent && went_with_its_owner(&step.target, manner) {
        let name = kind.name();
        return Ok(Some(format!("{name} is not there any more, so that nothing of it was put back")));
    }
    let is_ours = step.target.same(&now, &step.wanted) || kind.is_between(&now, &step.original, &step.wanted);
    if !is_ours && !manner.force {
        if manner.another_boot && step.target.is_running_state() {
            return Ok(Some(format!(
                "{} went with the boot, and is {} since",
                kind.name(),
                kind.shown(&now)
            )));
        }
        return Err(changed_since(step, &now));
    }
    kind.write(&step.original).map_err(left)?;
    let now = kind.read().map_err(left)?;
    if step.target.same(&now, &step.original) {
        return Ok(None);
    }
    let why = format!("{} was written and {} is there", kind.shown(&step.original), kind.shown(&now));
    Err(left(ChangeError::new(format!("put {} back", kind.name()), why)))
}

/// What a target of the kernel belongs to, such as a device, may have gone since: then nothing is there. So is it with a
/// server that does not run where a boot or the user says that this is no accident.
fn read(step: &Step, manner: Manner) -> Result<State, ChangeError> {
    let kind = step.target.kind();
    match kind.end_what_was_left().and_then(|()| kind.read()) {
        Err(error)
            if matches!(step.target, Target::SqlVariable(_))
                && error.errno == Some(libc::ENOTCONN)
                && (manner.force || manner.another_boot) =>
        {
            Ok(State::Absent)
        }
        Err(error)
            if step.target.is_running_state() && matches!(error.errno, Some(libc::ENOENT | libc::ENODEV)) =>
        {
            Ok(State::Absent)
        }
        read => read,
    }
}

/// Whether a value that is not there went for good with what it belonged to: a network namespace, a mount, a module.
/// An interface may have been renamed, and an interrupt be without a driver for a while, so that of these a boot or
/// the user must say it.
fn went_with_its_owner(target: &Target, Manner { force, another_boot }: Manner) -> bool {
    let at_once =
        target.namespace().is_some() || matches!(target, Target::Mount(_) | Target::ModuleParameter(_));
    at_once || (target.is_running_state() && (force || another_boot))
}

fn changed_since(step: &Step, now: &State) -> Left {
    let (name, force) = (step.target.kind().name(), "`narrows undo --force`");
    if *now == State::Absent && step.target.is_running_state() {
        let why = "it is not there now".to_owned();
        let instead = format!("if it has gone for good, {force} leaves it out");
        return Left { name, why, instead, unreachable: false };
    }
    let kind = step.target.kind();
    let why = format!("somebody changed it since: {}", kind.shown(now));
    let instead = format!("look at it; {force} puts back {}", kind.shown(&step.original));
    Left { name, why, instead, unreachable: false }
}

/// A write that was cut short leaves a file as it was, and beside it what was to replace it, or a directory made for
/// it; a number of queues as it was, but not the steering of those queues; and some rows that are changed already.
fn sweep(step: &Step) -> Result<(), ChangeError> {
    match &step.target {
        Target::File(file) => file.sweep(&step.original),
        Target::Channels(channels) => channels.write(&step.original),
        Target::SqlStatement(statement) => statement.sweep(),
        _ => Ok(()),
    }
}
