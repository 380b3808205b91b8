//! Binds steps to the state they start from, and drops what already holds.

use super::lower::{Draft, Ground};
use super::{Activation, PlannedChange};
use crate::owners::Claim;
use crate::{Operation, Phase, Target};

/// The operations of a draft that change something, with their lines of shell; `None` where everything holds already.
///
/// # Errors
/// When a state cannot be read, or an action does not apply to it.
pub(super) fn settle(ground: &Ground<'_>, draft: &Draft, id: &str) -> Result<Option<PlannedChange>, Claim> {
    let mut operations = Vec::new();
    let mut shell = Vec::new();
    for step in &draft.steps {
        let kind = step.target.kind();
        let now = ground.states.read(&step.target)?;
        let to = kind.wanted(&now, &step.action)?;
        if step.target.same(&now, &to) {
            continue;
        }
        ground.states.check(&step.target, &to)?;
        operations.push(Operation {
            target: step.target.clone(),
            action: step.action.clone(),
            phase: step.phase,
            before: step.target.fingerprint(&now),
        });
        // The contents of files, which may hold secrets, do not enter a plan.
        if !matches!(step.target, Target::File(_)) {
            shell.extend(kind.shell(&to));
        }
    }
    if operations.is_empty() {
        return Ok(None);
    }
    let wish = draft.wish.clone();
    let reloads = reloads(&draft.reloads, &operations);
    Ok(Some(PlannedChange {
        id: id.to_owned(),
        causes: wish.causes,
        severity: wish.severity,
        remedy: wish.remedy,
        alternatives: wish.alternatives,
        why: wish.why,
        evidence: wish.evidence,
        moves: wish.moves,
        metric: wish.metric,
        change: wish.change,
        operations,
        reloads,
        shell,
    }))
}

/// Nothing is reloaded for a change of which only the file for the next boot is left to do.
fn reloads(reloads: &[Activation], operations: &[Operation]) -> Vec<Activation> {
    let acts_now = operations.iter().any(|operation| operation.phase == Phase::Now);
    if acts_now { reloads.to_vec() } else { vec![] }
}
