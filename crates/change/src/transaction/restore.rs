//! Puts one step back, and never overwrites what somebody else wrote.

use crate::journal::{Journal, Step};
use crate::{ChangeError, State, Target};

use super::Left;

/// Puts back every step that was begun and not restored, the last first. Goes on over failures; returns what is left.
pub(super) fn restore(
    journal: &Journal,
    id: i64,
    steps: &[Step],
    force: impl Fn(&Step) -> bool,
    notes: &mut Vec<String>,
) -> Vec<Left> {
    let mut left = Vec::new();
    for step in steps.iter().rev().filter(|step| step.begun && !step.restored) {
        match step_back(step, force(step)) {
            Ok(()) => {
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

fn step_back(step: &Step, force: bool) -> Result<(), Left> {
    let kind = step.target.kind();
    let left = |error: ChangeError| Left {
        name: kind.name(),
        why: format!("{}: {}", error.attempted, error.why),
        instead: error.help.unwrap_or_else(|| "mend that, then run `narrows undo` again".to_owned()),
    };
    let now = kind.read().map_err(left)?;
    if step.target.same(&now, &step.original) || gone(&step.target, &now) {
        return sweep(step).map_err(left);
    }
    if !force && !step.target.same(&now, &step.wanted) {
        return Err(Left {
            name: kind.name(),
            why: format!("somebody changed it since: {}", shown(&now)),
            instead: format!("look at it; `narrows undo --force` puts back {}", shown(&step.original)),
        });
    }
    kind.write(&step.original).map_err(left)?;
    let now = kind.read().map_err(left)?;
    if step.target.same(&now, &step.original) {
        return Ok(());
    }
    let why = format!("{} was written and {} is there", shown(&step.original), shown(&now));
    Err(left(ChangeError::new(format!("put {} back", kind.name()), why)))
}

/// A write that was cut short leaves a file as it was, and beside it what was to replace it, or a directory made for
/// it. Writing what is there once more takes them away.
fn sweep(step: &Step) -> Result<(), ChangeError> {
    match step.target {
        Target::File(_) => step.target.kind().write(&step.original),
        _ => Ok(()),
    }
}

/// A network namespace takes its values with it.
fn gone(target: &Target, now: &State) -> bool {
    *now == State::Absent && target.namespace().is_some()
}

/// A state in a few words.
pub(super) fn shown(state: &State) -> String {
    match state {
        State::Absent | State::AbsentBelow { .. } => "nothing".to_owned(),
        State::Text { value } if value.is_empty() => "an empty value".to_owned(),
        State::Text { value } => value.clone(),
        State::Values { values } => {
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            values.join(" ")
        }
        State::File(file) => format!("{} bytes, sha256 {:.12}…", file.contents.0.len(), file.sha256()),
        State::Link { to } => format!("a link to {to}"),
        State::Qdisc(qdisc) => format!("{} {}", qdisc.kind, qdisc.handle),
    }
}
