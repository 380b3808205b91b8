//! Which causes are acted on, and by which of their remedies.

use model::report::{CauseReport, Report};
use model::{Change, Observation, Remedy, Severity, Verdict};

use super::lower::settable;
use super::{ByHand, PlanOptions};
use crate::ChangeError;

/// One change that a cause asks for, with all that a reader wants to know of why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    pub(super) causes: Vec<String>,
    pub(super) severity: Option<Severity>,
    pub(super) remedy: String,
    pub(super) alternatives: Vec<String>,
    pub(super) why: String,
    pub(super) evidence: Vec<Observation>,
    pub(super) moves: String,
    pub(super) metric: Option<String>,
    pub(super) change: Change,
}

/// What the chosen remedies ask for.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The most severe first; among equals, in the order of the report.
    pub(super) wishes: Vec<Wish>,
    pub(super) by_hand: Vec<ByHand>,
}

/// Who can make a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hand {
    Narrows,
    Person,
}

/// Takes one remedy of each confirmed cause that is severe enough.
///
/// # Errors
/// When a remedy is named that the report does not have.
pub(super) fn choose(report: &Report, options: &PlanOptions) -> Result<Choice, ChangeError> {
    let severe = |cause: &&CauseReport| {
        cause.verdict == Verdict::Confirmed
            && cause.severity.is_some_and(|severity| severity >= options.severity)
    };
    let mut causes: Vec<&CauseReport> = report.causes.iter().filter(severe).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.severity));
    for (cause, number) in &options.remedy {
        named_remedy(report, &causes, cause, *number)?;
    }
    let mut choice = Choice::default();
    for cause in causes {
        let Some(taken) = taken(cause, options) else { continue };
        for change in cause.remedies.get(taken).into_iter().flat_map(|remedy| &remedy.changes) {
            sort(&mut choice, cause, taken, change);
        }
    }
    Ok(choice)
}

/// Whether a confirmed cause asks for something that narrows can do, unless an owner has something against it.
pub fn asks_for_changes(report: &Report) -> bool {
    choose(report, &PlanOptions::default()).is_ok_and(|choice| !choice.wishes.is_empty())
}

/// A remedy of a cause that is not there, or not any more, is not taken. One that no cause has is a mistake.
fn named_remedy(
    report: &Report,
    causes: &[&CauseReport],
    id: &str,
    number: usize,
) -> Result<(), ChangeError> {
    let attempted = format!("take remedy {number} of {id}");
    if !report.causes.iter().any(|cause| cause.id == id) {
        return Err(
            ChangeError::new(attempted, "there is no such cause").help("`narrows explain` lists them")
        );
    }
    let Some(cause) = causes.iter().find(|cause| cause.id == id) else { return Ok(()) };
    let count = cause.remedies.len();
    if number == 0 || number > count {
        return Err(ChangeError::new(attempted, format!("it has {count}"))
            .help(format!("see `narrows explain {id}`")));
    }
    Ok(())
}

/// The place of the remedy that is taken: the named one, else the first of which narrows can do a part, else the first.
fn taken(cause: &CauseReport, options: &PlanOptions) -> Option<usize> {
    if let Some(number) = options.remedy.get(&cause.id) {
        return number.checked_sub(1);
    }
    let can = |remedy: &Remedy| remedy.changes.iter().any(|change| hand(change) == Hand::Narrows);
    let first = cause.remedies.iter().position(can);
    first.or_else(|| (!cause.remedies.is_empty()).then_some(0))
}

fn sort(choice: &mut Choice, cause: &CauseReport, taken: usize, change: &Change) {
    let Some(remedy) = cause.remedies.get(taken) else { return };
    match hand(change) {
        Hand::Narrows => choice.wishes.push(Wish {
            causes: vec![cause.id.clone()],
            severity: cause.severity,
            remedy: remedy.title.clone(),
            alternatives: alternatives(cause, taken),
            why: cause.summary.clone(),
            evidence: cause.observations.clone(),
            moves: remedy.moves.clone(),
            metric: remedy.metric.clone(),
            change: change.clone(),
        }),
        Hand::Person => choice.by_hand.push(ByHand {
            cause: cause.id.clone(),
            remedy: remedy.title.clone(),
            change: change.clone(),
            moves: remedy.moves.clone(),
        }),
    }
}

fn alternatives(cause: &CauseReport, taken: usize) -> Vec<String> {
    let others = cause.remedies.iter().enumerate().filter(|(at, _)| *at != taken);
    others.map(|(at, remedy)| format!("{}: {}", at + 1, remedy.title)).collect()
}

fn hand(change: &Change) -> Hand {
    if settable(&change.what, &change.target.value) { Hand::Narrows } else { Hand::Person }
}
