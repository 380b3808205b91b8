//! Makes a plan of operations that a person wrote, for `lab/guest/hands`: no diagnosis asks for them.
//!
//! Reads a JSON list of `{"target": …, "action": …, "phase": …, "reloads": […]}`; the last two may be left out (`now`,
//! none). Reads each target on this machine, and prints the plan.

use std::io::Write;

use change::plan::{Activation, Plan, PlanHost, PlannedChange, SCHEMA};
use change::{Action, Operation, Phase, Target};
use model::{Change, Derived};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Wish {
    target: Target,
    action: Action,
    #[serde(default = "now")]
    phase: Phase,
    #[serde(default)]
    reloads: Vec<Activation>,
}

fn now() -> Phase {
    Phase::Now
}

fn main() -> Result<(), Error> {
    let wishes: Vec<Wish> = serde_json::from_reader(std::io::stdin().lock())?;
    let changes = wishes.into_iter().map(planned).collect::<Result<_, _>>()?;
    let mut plan = Plan {
        schema: SCHEMA.to_owned(),
        hash: String::new(),
        host: PlanHost::default(),
        changes,
        files: vec![],
        refused: vec![],
        by_hand: vec![],
    };
    plan.hash = format!("sha256:{}", "0".repeat(64));
    std::io::stdout().write_all(&serde_json::to_vec_pretty(&plan)?)?;
    Ok(())
}

fn planned(wish: Wish) -> Result<PlannedChange, Error> {
    let Wish { target, action, phase, reloads } = wish;
    let kind = target.kind();
    let before = target.fingerprint(&kind.read()?);
    let id = kind.name();
    Ok(PlannedChange {
        change: Change::sysctl(&id, None, Derived::new("", "")),
        id,
        causes: vec!["kernel.example".to_owned()],
        severity: None,
        remedy: "An example".to_owned(),
        why: "the lab asks for it".to_owned(),
        evidence: vec![],
        moves: "nothing".to_owned(),
        operations: vec![Operation { target, action, phase, before }],
        reloads,
        shell: vec![],
    })
}
