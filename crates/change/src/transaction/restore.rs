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
        instead: error.help.unwrap_or_else(|| "mend that, then run `narrows undo` again".to_owned()),
    };
    let now = read(step).map_err(left)?;
    if step.target.same(&now, &step.original) {
        return sweep(step).map(|()| None).map_err(left);
    }
    if now == State::Absent && went_with_its_owner(&step.target, manner) {
        let name = kind.name();
        return Ok(Some(format!("{name} is not there any more, so that nothing of it was put back")));
    }
    let is_ours = step.target.same(&now, &step.wanted) || kind.is_between(&now, &step.original, &step.wanted);
    if !is_ours && !manner.force {
        if manner.another_boot && step.target.is_of_the_kernel() {
            return Ok(Some(format!("{} went with the boot, and is {} since", kind.name(), now.shown())));
        }
        return Err(changed_since(step, &now));
    }
    kind.write(&step.original).map_err(left)?;
    let now = kind.read().map_err(left)?;
    if step.target.same(&now, &step.original) {
        return Ok(None);
    }
    let why = format!("{} was written and {} is there", step.original.shown(), now.shown());
    Err(left(ChangeError::new(format!("put {} back", kind.name()), why)))
}

/// What a target of the kernel belongs to, such as a device, may have gone since: then nothing is there.
fn read(step: &Step) -> Result<State, ChangeError> {
    match step.target.kind().read() {
        Err(error)
            if step.target.is_of_the_kernel() && matches!(error.errno, Some(libc::ENOENT | libc::ENODEV)) =>
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
    at_once || (target.is_of_the_kernel() && (force || another_boot))
}

fn changed_since(step: &Step, now: &State) -> Left {
    let (name, force) = (step.target.kind().name(), "`narrows undo --force`");
    if *now == State::Absent && step.target.is_of_the_kernel() {
        let why = "it is not there now".to_owned();
        return Left { name, why, instead: format!("if it has gone for good, {force} leaves it out") };
    }
    let why = format!("somebody changed it since: {}", now.shown());
    Left { name, why, instead: format!("look at it; {force} puts back {}", step.original.shown()) }
}

/// A write that was cut short leaves a file as it was, and beside it what was to replace it, or a directory made for
/// it; and a number of queues as it was, but not the steering of those queues.
fn sweep(step: &Step) -> Result<(), ChangeError> {
    match &step.target {
        Target::File(file) => file.sweep(&step.original),
        Target::Channels(channels) => channels.write(&step.original),
        _ => Ok(()),
    }
}
