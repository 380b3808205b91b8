//! `narrows prove --plan`: with and without the plan in turn, then keeps it or takes it back.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use change::plan::Plan;
use prove::interrupt::on_interrupt;
use prove::statistics::fewest_pairs;
use prove::trial::{
    Arm, Block, Comparison, Measured, Metric, Missing, Pair, Place, Schedule, Subject, Verdict, compare,
    judge, run as run_trial,
};

use super::figures;
use super::measure::{Brake, Measurer};
use super::probe::HostProbe;
use super::proof::{self, Design, Proof, TriedChange, TriedPlan};
use super::trial::PlanOnTrial;
use crate::apply::{must_be_root, saved};
use crate::arguments::prove::{Prove, for_a_program};
use crate::exit::{Exit, UsageError};
use crate::{output, render};

/// Pairs without any change, which tell the noise of the machine.
const CONTROLS: u32 = 2;

/// Tries a saved plan.
pub(crate) fn run(arguments: &Prove, plan: &Path) -> anyhow::Result<Exit> {
    let measurer = Measurer::new(arguments)?;
    let of_load = measurer.of_load();
    let wanted = arguments.metric.as_deref().map(|name| named(name, of_load)).transpose()?;
    must_be_root("try a plan")?;
    let plan = saved(plan)?;
    let causes = causes(&plan);
    let promised: Vec<Metric> = promised(&plan).filter_map(|name| figures::metric(name, of_load)).collect();
    let counters = promised.iter().chain(&wanted).map(|metric| metric.name.clone()).collect();
    let on_trial = Arc::new(Mutex::new(PlanOnTrial::new(plan, arguments)?));
    undo_when_interrupted(&on_trial, measurer.brake())?;
    let mut experiment = Experiment {
        plan: Arc::clone(&on_trial),
        measurer,
        probe: HostProbe::new(causes.clone(), counters),
        done: 0,
        blocks: Schedule::new(CONTROLS, arguments.pairs).blocks(),
    };
    let measured = run_trial(&mut experiment, Schedule::new(CONTROLS, arguments.pairs))?;
    let choice = wanted.into_iter().chain(promised).collect::<Vec<_>>();
    let seed = arguments.traffic.seed;
    let (primary, mut notes) = primary(&measured, choice, of_load, seed)?;
    let (guards, unmeasured) = guards(&measured, &primary, of_load, seed);
    let judgement = judge(&primary, &guards);
    let mut plan = lock(&on_trial);
    let keeps = judgement.verdict == Verdict::Kept && !arguments.revert;
    let transaction = if keeps { Some(keep(&mut plan)?) } else { None };
    notes.extend(plan.notes.iter().cloned());
    notes.extend(experiment.measurer.failure.iter().map(|failure| format!("a run failed: {failure}")));
    let proof = Proof {
        schema: proof::SCHEMA,
        subject: proof::Subject::of(arguments),
        plan: tried(&plan),
        design: Design {
            control_pairs: CONTROLS,
            pairs: arguments.pairs,
            fewest_pairs: fewest_pairs(CONTROLS as usize),
            block_s: proof::block_s(&measured),
        },
        verdict: judgement.verdict,
        worse: judgement.worse,
        primary,
        guards,
        unmeasured,
        causes: proof::count(&causes, &measured),
        blocks: measured,
        kept: transaction.is_some(),
        transaction,
        notes,
    };
    drop(plan);
    output::print(&match for_a_program(arguments) {
        true => format!("{}\n", serde_json::to_string_pretty(&proof)?),
        false => render::proof::plan(&proof),
    })?;
    Ok(if proof.verdict == Verdict::Kept { Exit::Clear } else { Exit::Findings })
}

fn named(name: &str, of_load: bool) -> Result<Metric, UsageError> {
    let known = figures::known(of_load);
    figures::metric(name, of_load)
        .ok_or_else(|| UsageError(format!("no figure is named {name}; there are {known}")))
}

fn causes(plan: &Plan) -> Vec<String> {
    let causes: BTreeSet<_> = plan.changes.iter().flat_map(|change| &change.causes).cloned().collect();
    causes.into_iter().collect()
}

fn promised(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.changes.iter().filter_map(|change| change.metric.as_deref())
}

fn lock(plan: &Mutex<PlanOnTrial>) -> MutexGuard<'_, PlanOnTrial> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Applies the plan to stay. What fails is taken back.
fn keep(plan: &mut PlanOnTrial) -> anyhow::Result<i64> {
    match plan.keep() {
        Ok(outcome) => Ok(outcome.transaction.id),
        Err(error) => {
            plan.without()?;
            Err(error)
        }
    }
}

/// A signal undoes the plan at once, ends what is being measured, and this process.
fn undo_when_interrupted(plan: &Arc<Mutex<PlanOnTrial>>, brake: Brake) -> anyhow::Result<()> {
    let plan = Arc::clone(plan);
    on_interrupt(move |signal| {
        // Held to the end, so that nothing is applied any more.
        let mut plan = lock(&plan);
        let undone = plan.without();
        brake.pull();
        let code = match undone {
            Ok(()) => {
                writeln!(anstream::stderr(), "\ninterrupted: the host is as it was").ok();
                128 + signal
            }
            Err(error) => {
                output::error(&error);
                Exit::of(&error) as i32
            }
        };
        std::process::exit(code);
    })?;
    Ok(())
}

/// The plan and what is measured, block by block.
struct Experiment {
    plan: Arc<Mutex<PlanOnTrial>>,
    measurer: Measurer,
    probe: HostProbe,
    done: u32,
    blocks: u32,
}

impl Subject for Experiment {
    type Error = anyhow::Error;

    fn with(&mut self) -> anyhow::Result<()> {
        lock(&self.plan).with(self.measurer.bound())
    }

    fn without(&mut self) -> anyhow::Result<()> {
        lock(&self.plan).without()
    }

    fn measure(&mut self, place: Place) -> anyhow::Result<Block> {
        self.done += 1;
        let what = match (place.pair, place.arm) {
            (Pair::Control, _) => "no change",
            (Pair::Trial, Arm::Without) => "without the plan",
            (Pair::Trial, Arm::With) => "with the plan",
        };
        let title = format!("block {} of {}, {what}", self.done, self.blocks);
        let block = self.measurer.block(&title, &mut self.probe)?;
        if place.arm == Arm::With {
            lock(&self.plan).was_there()?;
        }
        Ok(block)
    }
}

/// The figure that decides: what the command line names, else the first promise that every block can be held to, else
/// latency or time. Where there is no 99th percentile, the requests that failed.
fn primary(
    measured: &[Measured],
    choice: Vec<Metric>,
    of_load: bool,
    seed: u64,
) -> anyhow::Result<(Comparison, Vec<String>)> {
    let fallback = if of_load { &["p99", "failed"][..] } else { &["seconds"] };
    let fallback = fallback.iter().filter_map(|name| figures::metric(name, of_load));
    let mut notes = Vec::new();
    for metric in choice.into_iter().chain(fallback) {
        match compare(measured, &metric, seed) {
            Ok(comparison) => return Ok((comparison, notes)),
            Err(Missing { name, measured, of }) => {
                notes.push(format!("{}: only {measured} of {of} blocks have a {name}", metric.title));
            }
        }
    }
    anyhow::bail!("no figure was measured in every block: {}; the plan is undone", notes.join("; "))
}

fn guards(
    measured: &[Measured],
    primary: &Comparison,
    of_load: bool,
    seed: u64,
) -> (Vec<Comparison>, Vec<Missing>) {
    let others = figures::guards(of_load).into_iter().filter(|metric| metric.name != primary.metric.name);
    let (mut guards, mut unmeasured) = (Vec::new(), Vec::new());
    for metric in others {
        match compare(measured, &metric, seed) {
            Ok(guard) => guards.push(guard),
            Err(missing) => unmeasured.push(missing),
        }
    }
    (guards, unmeasured)
}

fn tried(plan: &PlanOnTrial) -> TriedPlan {
    let changes = plan.plan().changes.iter().map(|change| TriedChange {
        id: change.id.clone(),
        from: change.change.current.clone(),
        to: change.change.target.value.clone(),
        promise: change.moves.clone(),
    });
    TriedPlan { hash: plan.plan().hash.clone(), changes: changes.collect(), applied: plan.applied }
}
