//! Plans made by hand, so that no diagnosis is needed.

use std::path::PathBuf;

use change::plan::{Plan, PlanHost, PlannedChange, SCHEMA};
use change::{Action, ChangeError, Operation, Phase, Target};
use model::{Change, Derived};

use super::world::World;
use crate::faults::{Attempt, FaultError, Result};

/// One thing to change, now unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) target: Target,
    pub(crate) action: Action,
    pub(crate) phase: Phase,
}

impl Wish {
    pub(crate) fn new(target: Target, action: Action) -> Self {
        Self { target, action, phase: Phase::Now }
    }

    pub(crate) fn lasting(self) -> Self {
        Self { phase: Phase::Lasting, ..self }
    }
}

/// A plan with one change for each wish, from what the world holds now.
pub(crate) fn plan(world: &World, wishes: &[Wish]) -> Result<Plan> {
    let changes = world.run_as_narrows(|| wishes.iter().map(planned).collect::<Result<Vec<_>>>())?;
    let mut plan = Plan {
        schema: SCHEMA.to_owned(),
        hash: String::new(),
        host: PlanHost::default(),
        changes,
        files: vec![],
        refused: vec![],
        by_hand: vec![],
    };
    plan.hash = plan.digest().map_err(refused)?;
    Ok(plan)
}

/// Writes a plan where a world has room for it.
pub(crate) fn write(world: &World, name: &str, wishes: &[Wish]) -> Result<PathBuf> {
    let json = serde_json::to_vec_pretty(&plan(world, wishes)?).attempt(|| "write a plan".into())?;
    world.write_aside(name, &json)
}

fn planned(wish: &Wish) -> Result<PlannedChange> {
    let kind = wish.target.kind();
    let now = kind.read().map_err(refused)?;
    Ok(PlannedChange {
        id: kind.name(),
        causes: vec!["kernel.example".to_owned()],
        severity: None,
        remedy: "An example".to_owned(),
        alternatives: vec![],
        why: "a test asks for it".to_owned(),
        evidence: vec![],
        moves: "nothing".to_owned(),
        metric: None,
        change: Change::sysctl(&kind.name(), None, Derived::new("", "")),
        operations: vec![Operation {
            before: wish.target.fingerprint(&now),
            target: wish.target.clone(),
            action: wish.action.clone(),
            phase: wish.phase,
        }],
        reloads: vec![],
        shell: vec![],
    })
}

fn refused(error: ChangeError) -> FaultError {
    FaultError::new(error.to_string())
}
