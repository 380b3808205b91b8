//! A kill before every change of apply, and before every change of undo.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::machine::Restored;
use super::plans::{self, Wish};
use super::snapshot::{Snapshot, Watch};
use super::tracer::{Ended, Interference};
use super::world::World;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result};

/// More changes than any transaction makes: a program that never ends by itself would be killed for ever.
const MOST: usize = 5000;

/// What is changed, and where to look for losses.
#[derive(Default)]
pub(crate) struct Scenario {
    pub(crate) wishes: Vec<Wish>,
    pub(crate) watched: Vec<Watch>,
    /// Values of the machine that must not stay changed when a test fails.
    pub(crate) guards: Vec<Restored>,
}

/// A scenario in its world, with the plan and what was there before.
pub(crate) struct Trial {
    pub(crate) plan: String,
    pub(crate) original: Snapshot,
    /// Target and original of each step, as a whole apply journaled them.
    originals: Vec<Json>,
    pub(crate) scenario: Scenario,
    pub(crate) world: World,
}

/// What comes between a kill and the undo.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Nothing.
    Undo,
    /// The same plan is applied once more.
    ApplyAgain,
    /// An undo is killed too.
    KillAgain,
}

impl Then {
    /// What follows the kill before a change: one of them in turn, or all.
    fn after(change: usize) -> Vec<Self> {
        let all = [Self::Undo, Self::ApplyAgain, Self::KillAgain];
        match std::env::var_os("NARROWS_CRASH_THOROUGH") {
            Some(_) => all.to_vec(),
            None => vec![all[change % all.len()]],
        }
    }
}

/// Kills apply and undo everywhere, and fails if anything was lost.
pub(crate) fn kill_everywhere(name: &str, scenario: impl Fn(&World) -> Result<Scenario>) -> Result<()> {
    kill_everywhere_in(World::create, name, scenario)
}

/// The same in worlds of another make.
pub(crate) fn kill_everywhere_in(
    world: impl Fn() -> Result<World>,
    name: &str,
    scenario: impl Fn(&World) -> Result<Scenario>,
) -> Result<()> {
    let prepare = || Trial::prepare_in(world()?, &scenario);
    let mut trial = prepare()?;
    trial.whole()?;
    let (mut points, mut kills, mut lost) = ([0, 0], 0, vec![]);
    for (phase, kill) in [Trial::kill_apply, Trial::kill_undo].into_iter().enumerate() {
        for change in 1..MOST {
            let mut ended = false;
            for then in Then::after(change) {
                let Some(losses) = kill(&trial, change, then)? else {
                    ended = true;
                    break;
                };
                kills += 1;
                if !losses.is_empty() {
                    lost.push(losses.join("\n  "));
                    drop(trial);
                    trial = prepare()?;
                    trial.whole()?;
                }
            }
            if ended {
                break;
            }
            points[phase] = change;
        }
    }
    let [in_apply, in_undo] = points;
    println!(
        "{name:<28} | {in_apply:>4} points in apply | {in_undo:>4} points in undo | {:>4} restored | {} lost",
        kills - lost.len(),
        lost.len()
    );
    match lost.is_empty() {
        true if in_apply > 0 && in_undo > 0 => Ok(()),
        true => Err(FaultError::new(format!("{name}: nothing was killed"))),
        false => {
            Err(FaultError::new(format!("{name}: {} kills lost something:\n{}", lost.len(), some_of(&lost))))
        }
    }
}

/// The first and the last of what was lost: enough to see what it has in common.
pub(crate) fn some_of(lost: &[String]) -> String {
    let (first, last) = (lost.iter().take(3), lost.iter().skip(3).last());
    first.chain(last).map(String::as_str).collect::<Vec<_>>().join("\n")
}

impl Trial {
    /// Makes a world, sets the scene in it, and plans.
    pub(crate) fn prepare(scenario: impl Fn(&World) -> Result<Scenario>) -> Result<Self> {
        Self::prepare_in(World::create()?, scenario)
    }

    pub(crate) fn prepare_in(world: World, scenario: impl Fn(&World) -> Result<Scenario>) -> Result<Self> {
        let scenario = scenario(&world)?;
        let plan = plans::write(&world, "plan.json", &scenario.wishes)?.display().to_string();
        let original = Snapshot::of(&world, &scenario.watched)?;
        Ok(Self { plan, original, originals: vec![], scenario, world })
    }

    /// Without a kill, apply changes what it shall and undo restores it.
    pub(crate) fn whole(&mut self) -> Result<()> {
        let state = self.world.new_state_directory();
        succeed("apply", &self.apply(&state, Interference::None)?)?;
        self.originals = self.journaled_originals(&state)?;
        if self.originals.len() != self.scenario.wishes.len() {
            return Err(FaultError::new(format!(
                "the journal has these originals only: {:#?}",
                self.originals
            )));
        }
        let differences = self.original.differences(&self.now()?);
        if differences.len() < self.scenario.wishes.len() {
            return Err(FaultError::new(format!("apply changed only this: {differences:#?}")));
        }
        succeed("undo", &self.undo(&state, Interference::None)?)?;
        let losses = self.losses(&state)?;
        if losses.is_empty() { Ok(()) } else { Err(FaultError::new(format!("undo lost: {losses:#?}"))) }
    }

    /// Kills apply before a change. `None` when it ends before it comes to that change.
    fn kill_apply(&self, change: usize, then: Then) -> Result<Option<Vec<String>>> {
        let state = self.world.new_state_directory();
        let killed = self.apply(&state, Interference::KillBefore(change))?;
        if !killed.interfered {
            succeed("apply", &killed)?;
            succeed("undo", &self.undo(&state, Interference::None)?)?;
            return Ok(None);
        }
        self.verdict(&format!("apply killed before change {change}, then {then:?}"), &state, change, then)
    }

    /// Kills the undo of a whole apply before a change. `None` when it ends before it comes to that change.
    fn kill_undo(&self, change: usize, then: Then) -> Result<Option<Vec<String>>> {
        let state = self.world.new_state_directory();
        succeed("apply", &self.apply(&state, Interference::None)?)?;
        let killed = self.undo(&state, Interference::KillBefore(change))?;
        if !killed.interfered {
            succeed("undo", &killed)?;
            return Ok(None);
        }
        self.verdict(&format!("undo killed before change {change}, then {then:?}"), &state, change, then)
    }

    /// What an undo after a kill, and what comes between them, leaves lost.
    fn verdict(&self, what: &str, state: &Path, change: usize, then: Then) -> Result<Option<Vec<String>>> {
        self.nobody_is_left()?;
        match then {
            Then::Undo => {}
            // It may refuse, and says so, or go through; what it finds must never become the original.
            Then::ApplyAgain => drop(self.apply(state, Interference::None)?),
            Then::KillAgain => drop(self.undo(state, Interference::KillBefore(1 + change * 7 % 40))?),
        }
        let journaled = self.journaled_originals(state)?;
        let undone = self.undo(state, Interference::None)?;
        let mut losses = self.losses(state)?;
        let changed = journaled.into_iter().filter(|step| !self.originals.contains(step));
        losses.extend(changed.map(|step| format!("a changed value is journaled as the original: {step}")));
        if undone.code != Some(0) {
            losses.push(format!("undo ended with {:?}: {}", undone.code, undone.said));
        }
        if !losses.is_empty() {
            losses.insert(0, what.to_owned());
        } else if state.exists() {
            fs::remove_dir_all(state).attempt(|| format!("remove {}", state.display()))?;
        }
        Ok(Some(losses))
    }

    /// The target and the original of every step in the journal.
    fn journaled_originals(&self, state: &Path) -> Result<Vec<Json>> {
        let history = self.world.narrows(&["history", "--format", "json"], state, Interference::None)?;
        succeed("history", &history)?;
        let history: Json = serde_json::from_str(&history.said).attempt(|| "read the history".into())?;
        let transactions = history["transactions"].as_array().into_iter().flatten();
        let steps =
            transactions.flat_map(|transaction| transaction["steps"].as_array().into_iter().flatten());
        Ok(steps.map(|step| json!({ "target": step["target"], "original": step["original"] })).collect())
    }

    /// What is not as it was; then a further undo must find nothing to do and do nothing.
    pub(crate) fn losses(&self, state: &Path) -> Result<Vec<String>> {
        let mut losses = self.original.differences(&self.now()?);
        let further = self.undo(state, Interference::None)?;
        if further.code != Some(0) || !further.said.to_lowercase().contains("nothing to undo") {
            losses.push(format!("a further undo ended with {:?}: {}", further.code, further.said));
        }
        if losses.is_empty() {
            losses.extend(self.original.differences(&self.now()?));
        }
        Ok(losses)
    }

    pub(crate) fn now(&self) -> Result<Snapshot> {
        Snapshot::of(&self.world, &self.scenario.watched)
    }

    pub(crate) fn apply(&self, state: &Path, interference: Interference<'_>) -> Result<Ended> {
        self.world.narrows(&["apply", &self.plan, "--yes"], state, interference)
    }

    pub(crate) fn undo(&self, state: &Path, interference: Interference<'_>) -> Result<Ended> {
        self.world.narrows(&["undo"], state, interference)
    }

    /// No process of a killed narrows goes on.
    pub(crate) fn nobody_is_left(&self) -> Result<()> {
        let mut left = vec![];
        let gone = wait_until("the end of what narrows started", || {
            left = self.world.inhabitants()?;
            Ok(left.is_empty())
        });
        gone.map_err(|error| FaultError::new(format!("{error}: {left:?}")))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.world.new_state_directory()
    }
}

pub(crate) fn succeed(what: &str, ended: &Ended) -> Result<()> {
    match ended.code {
        Some(0) => Ok(()),
        code => Err(FaultError::new(format!("{what} ended with {code:?}: {}", ended.said))),
    }
}
