//! From a plan to the steps of a transaction: reads every original, compares it with the plan, works out what to write.

use std::collections::BTreeSet;

use model::Edit;

use crate::journal::Step;
use crate::plan::{Activation, Plan, PlannedChange, from_the_end, names_one};
use crate::{Action, ChangeError, Operation, Phase, State, Target};

/// What a transaction will do.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) steps: Vec<Step>,
    pub(super) reloads: Vec<Activation>,
    pub(super) notes: Vec<String>,
}

/// The changes that `--only` chooses: by identity, by cause, or by the layer of a cause. All without it.
///
/// # Errors
/// When a word chooses nothing.
pub fn selected<'a>(plan: &'a Plan, only: &[String]) -> Result<Vec<&'a PlannedChange>, ChangeError> {
    let matches = |word: &str, change: &PlannedChange| change.id == word || names_one(word, &change.causes);
    for word in only {
        if !plan.changes.iter().any(|change| matches(word, change)) {
            let mut known: Vec<_> = plan.changes.iter().map(|change| change.id.as_str()).collect();
            known.extend(plan.changes.iter().flat_map(|change| &change.causes).map(String::as_str));
            let mut seen = BTreeSet::new();
            known.retain(|name| seen.insert(*name));
            let help = match known.as_slice() {
                [] => "it has no changes at all".to_owned(),
                known => format!("it has: {}", known.join(", ")),
            };
            let why = "the plan has no such change, cause or layer";
            return Err(ChangeError::new(format!("choose {word}"), why).help(help));
        }
    }
    let chosen = |change: &&PlannedChange| only.is_empty() || only.iter().any(|word| matches(word, change));
    Ok(plan.changes.iter().filter(chosen).collect())
}

/// Reads all originals. Steps whose target holds what is wanted already are left out.
pub(super) fn prepare(changes: &[&PlannedChange], restart: bool) -> Result<Prepared, ChangeError> {
    let mut steps = Vec::new();
    for wish in wishes(changes) {
        let original = wish.target.kind().read()?;
        moved(&wish, &original)?;
        let mut wanted = original.clone();
        for action in &wish.actions {
            wanted = wish.target.kind().wanted(&wanted, action)?;
        }
        if !wish.target.same(&original, &wanted) {
            steps.push(Step {
                sequence: 0,
                changes: wish.changes,
                target: wish.target,
                phase: wish.phase,
                original,
                wanted,
                begun: false,
                restored: false,
            });
        }
    }
    steps.sort_by_key(|step| step.phase);
    for (sequence, step) in (0..).zip(&mut steps) {
        step.sequence = sequence;
    }
    let written: BTreeSet<&String> = steps.iter().flat_map(|step| &step.changes).collect();
    let (reloads, notes) = activations(changes, &written, restart);
    Ok(Prepared { steps, reloads, notes })
}

/// All that is asked of one target.
struct Wish {
    target: Target,
    actions: Vec<Action>,
    phase: Phase,
    before: String,
    changes: Vec<String>,
}

/// One wish per target, in the order in which targets are first named. Edits of one file become one write of it, at
/// the earliest phase that any of them asks for.
fn wishes(changes: &[&PlannedChange]) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = Vec::new();
    for change in changes {
        for Operation { target, action, phase, before } in &change.operations {
            match wishes.iter_mut().find(|wish| wish.target == *target) {
                Some(wish) => {
                    add(&mut wish.actions, action);
                    wish.phase = wish.phase.min(*phase);
                    if !wish.changes.contains(&change.id) {
                        wish.changes.push(change.id.clone());
                    }
                }
                None => wishes.push(Wish {
                    target: target.clone(),
                    actions: vec![action.clone()],
                    phase: *phase,
                    before: before.clone(),
                    changes: vec![change.id.clone()],
                }),
            }
        }
    }
    wishes
}

fn add(actions: &mut Vec<Action>, action: &Action) {
    match (actions.last_mut(), action) {
        (Some(Action::Edit { edits }), Action::Edit { edits: more }) => {
            let new = |edit: &&Edit| !edits.contains(edit);
            let more: Vec<_> = more.iter().filter(new).cloned().collect();
            edits.extend(more);
            *edits = from_the_end(std::mem::take(edits));
        }
        (Some(last), action) if last == action => {}
        _ => actions.push(action.clone()),
    }
}

fn moved(wish: &Wish, now: &State) -> Result<(), ChangeError> {
    let found = wish.target.fingerprint(now);
    if found == wish.before {
        return Ok(());
    }
    let name = wish.target.kind().name();
    let why = match &wish.target {
        Target::File(_) => "it was changed since the plan was made".to_owned(),
        _ => format!("the plan was made from “{}”, and now it is “{found}”", wish.before),
    };
    Err(ChangeError::new(format!("change {name}"), why).help("make a new plan: `narrows plan`"))
}

/// What is to be reloaded, restarts only when they were asked for.
fn activations(
    changes: &[&PlannedChange],
    written: &BTreeSet<&String>,
    restart: bool,
) -> (Vec<Activation>, Vec<String>) {
    let wanted: BTreeSet<&Activation> = changes
        .iter()
        .filter(|change| written.contains(&change.id))
        .flat_map(|change| &change.reloads)
        .collect();
    let (now, later): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|activation| restart || !activation.is_disruptive());
    let note = |activation: &Activation| {
        format!("{} takes the change up when it is restarted: `systemctl restart {0}`", activation.unit)
    };
    (now.into_iter().cloned().collect(), later.into_iter().map(note).collect())
}
