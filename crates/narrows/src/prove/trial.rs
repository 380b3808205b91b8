//! A plan that is applied and undone again and again, always with a dead man who would undo it.

use std::time::{Duration, Instant};

use change::ChangeError;
use change::plan::{ActivationKind, Plan, PlannedChange};
use change::transaction::{self, Applied, ApplyOptions, Outcome, Undo, UndoOptions};

use crate::arguments::prove::Prove;
use crate::exit::Incomplete;

/// How long an undo waits for another narrows: the dead man, who may just be at it.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a deadline allows for besides blocks.
const SLACK: Duration = Duration::from_secs(5);

/// A plan on trial.
pub(crate) struct PlanOnTrial {
    plan: Plan,
    options: ApplyOptions,
    open: Option<Open>,
    /// How often it was applied.
    pub(crate) applied: u32,
    /// What to know besides, each once.
    pub(crate) notes: Vec<String>,
}

/// A transaction that is on trial, and when its dead man strikes.
struct Open {
    id: i64,
    deadline: Instant,
}

impl PlanOnTrial {
    /// Looks whether the plan can be applied at all.
    pub(crate) fn new(plan: Plan, arguments: &Prove) -> anyhow::Result<Self> {
        let options = ApplyOptions {
            state_directory: arguments.state.directory.clone(),
            only: vec![],
            trial: None,
            restart: arguments.restart,
        };
        if transaction::rehearse(&plan, &options)? == 0 {
            let why = "everything it asks for holds already";
            return Err(ChangeError::new("try the plan", why)
                .help("`narrows undo` takes back what was applied; then run this again")
                .into());
        }
        let notes = if arguments.restart { vec![] } else { late(&plan) };
        Ok(Self { plan, options, open: None, applied: 0, notes })
    }

    /// The plan.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Applies it, to be undone unless this process lives on: the deadline covers two blocks, and is set anew where less
    /// than one is left.
    pub(crate) fn with(&mut self, block: Duration) -> anyhow::Result<()> {
        if let Some(open) = &self.open {
            if open.deadline.saturating_duration_since(Instant::now()) > block {
                return Ok(());
            }
            self.without()?;
        }
        let trial = block * 2 + SLACK;
        let deadline = Instant::now() + trial;
        let options = ApplyOptions { trial: Some(trial), ..self.options.clone() };
        match transaction::apply(&self.plan, &options)? {
            Applied::Done(outcome) => {
                self.applied += 1;
                self.open = Some(Open { id: outcome.transaction.id, deadline });
                self.note(outcome.notes);
                Ok(())
            }
            Applied::Nothing => {
                Err(ChangeError::new("apply the plan", "everything it asks for holds already")
                    .help("somebody else made the change meanwhile: `narrows history`")
                    .into())
            }
            Applied::PutBack { error, outcome } if outcome.left.is_empty() => Err(error.into()),
            Applied::PutBack { error, outcome } => Err(left(&outcome, &error.to_string())),
        }
    }

    /// Takes it back, unless it is not there.
    pub(crate) fn without(&mut self) -> anyhow::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let undone = transaction::undo(&UndoOptions {
            state_directory: self.options.state_directory.clone(),
            id: Some(open.id),
            force: false,
            unless_confirmed: false,
            patience: PATIENCE,
            why: Some("undone by narrows prove after a block with the plan".to_owned()),
        })?;
        match undone {
            Undo::Done(outcome) if !outcome.left.is_empty() => Err(left(&outcome, "undo the plan")),
            Undo::Done(outcome) => {
                self.note(outcome.notes);
                Ok(())
            }
            Undo::NotNeeded(_) | Undo::Nothing => Ok(()),
        }
    }

    /// Makes sure that the plan was there to the end of a block.
    pub(crate) fn was_there(&self) -> anyhow::Result<()> {
        match &self.open {
            Some(open) if open.deadline > Instant::now() => Ok(()),
            _ => Err(ChangeError::new(
                "measure a block with the plan",
                "it took so long that the dead man undid it",
            )
            .help("the command or the load takes longer with the plan than twice the time without it")
            .into()),
        }
    }

    /// Applies it to stay.
    pub(crate) fn keep(&mut self) -> anyhow::Result<Outcome> {
        self.with(SLACK * 4)?;
        let outcome = transaction::confirm(&self.options.state_directory)?;
        self.open = None;
        Ok(outcome)
    }

    fn note(&mut self, notes: Vec<String>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}

fn left(outcome: &Outcome, attempted: &str) -> anyhow::Error {
    let what: Vec<_> =
        outcome.left.iter().map(|left| format!("{}: {}; {}", left.name, left.why, left.instead)).collect();
    Incomplete(format!("{attempted}: not everything could be put back. {}", what.join(" · "))).into()
}

/// Why the effect of a plan may not show in a trial: what it changes is taken up at a restart only.
fn late(plan: &Plan) -> Vec<String> {
    let restarted = |change: &PlannedChange| {
        let units: Vec<_> = change.reloads.iter().filter(|reload| reload.is_disruptive()).collect();
        let unit = units.iter().find(|reload| reload.how == ActivationKind::Restart)?;
        Some(format!(
            "{} takes {} up when it is restarted: --restart does that around every block",
            unit.unit, change.id
        ))
    };
    let by_listen = |change: &PlannedChange| {
        let restart = &change.change.restart;
        let late = restart.contains("listen()") || restart.contains("next boot") || restart.contains("mount");
        late.then(|| format!("{} may not act within a block; restart: {restart}", change.id))
    };
    plan.changes.iter().filter_map(|change| restarted(change).or_else(|| by_listen(change))).collect()
}
