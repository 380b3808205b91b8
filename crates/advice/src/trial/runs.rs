//! Queries on both copies, in turn.

use std::time::Instant;

use super::compare::{same_sequence, same_set, shape};
use super::judge::median;
use super::measure::{self, Answer, Query};
use super::permit::Deed;
use super::scratch::Scratch;
use super::{Limits, Stop, TrialError};

/// The fewest turns that can prove anything.
const FEWEST: usize = 5;

/// One query and what asks the same of the changed copy.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub(super) class: String,
    pub(super) before: Query,
    pub(super) after: Query,
    /// Where the answers are said to differ.
    pub(super) differs: Vec<String>,
}

/// What the turns of one query gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    /// Seconds before and after, turn by turn.
    pub(super) pairs: Vec<(f64, f64)>,
    pub(super) rows_read: (u64, u64),
    pub(super) examined: (Option<u64>, Option<u64>),
    pub(super) same_rows: Option<bool>,
    /// Whether it ran into its deadline.
    pub(super) cut_before: bool,
    pub(super) cut_after: bool,
}

impl Turns {
    pub(super) fn before_s(&self) -> f64 {
        median(self.pairs.iter().map(|pair| pair.0))
    }

    pub(super) fn after_s(&self) -> f64 {
        median(self.pairs.iter().map(|pair| pair.1))
    }
}

/// Runs a query on both copies: once to warm and compare, once to count, then in turn for time.
pub(super) fn turns(
    scratch: &mut Scratch,
    contest: &Contest,
    limits: &Limits,
    stop: &Stop,
) -> Result<Turns, TrialError> {
    let mut turns = Turns::default();
    let before = measure::run(&mut scratch.plain, &contest.before, true)?;
    stop.check()?;
    let after = measure::run(&mut scratch.changed, &contest.after, true)?;
    (turns.cut_before, turns.cut_after) = (before.cut, after.cut);
    if before.cut || after.cut {
        turns.pairs = vec![(before.seconds, after.seconds)];
    } else {
        turns.same_rows = same_rows(scratch, contest, before.rows.as_deref(), after.rows.as_deref())?;
        turns.rows_read = (
            measure::rows_read(&mut scratch.plain, &contest.before)?,
            measure::rows_read(&mut scratch.changed, &contest.after)?,
        );
        let own = scratch.own_server && scratch.mariadb;
        let examined =
            if own { measure::examined_by_slow_log } else { measure::examined_by_performance_schema };
        turns.examined =
            (examined(&mut scratch.plain, &contest.before)?, examined(&mut scratch.changed, &contest.after)?);
        alternate(scratch, contest, limits, stop, &mut turns)?;
    }
    Ok(turns)
}

fn alternate(
    scratch: &mut Scratch,
    contest: &Contest,
    limits: &Limits,
    stop: &Stop,
    turns: &mut Turns,
) -> Result<(), TrialError> {
    let begun = Instant::now();
    for turn in 0..limits.pairs.max(FEWEST) {
        if turn >= FEWEST && begun.elapsed().as_secs() >= limits.turns_s {
            break;
        }
        stop.check()?;
        // Who goes first changes from turn to turn, so that going second is no advantage.
        let (mut before, mut after) = (Answer::default(), Answer::default());
        for plain in [turn % 2 == 0, turn % 2 == 1] {
            if plain {
                before = measure::run(&mut scratch.plain, &contest.before, false)?;
            } else {
                after = measure::run(&mut scratch.changed, &contest.after, false)?;
            }
        }
        turns.cut_before |= before.cut;
        turns.cut_after |= after.cut;
        turns.pairs.push((before.seconds, after.seconds));
    }
    Ok(())
}

type Rows<'a> = Option<&'a [super::compare::Row]>;

/// Whether both give the same rows. Rows of equal rank may come in either order, and a `LIMIT` may cut among them: then the
/// queries are compared without it.
fn same_rows(
    scratch: &mut Scratch,
    contest: &Contest,
    before: Rows<'_>,
    after: Rows<'_>,
) -> Result<Option<bool>, TrialError> {
    let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
    if same_sequence(before, after) {
        return Ok(Some(true));
    }
    let escapes = scratch.permit.escapes;
    let (one, other) = (shape(&contest.before.sql, escapes), shape(&contest.after.sql, escapes));
    if one.ordered && !other.ordered {
        return Ok(Some(false));
    }
    let set = same_set(before, after);
    let (Some(one_sql), Some(other_sql)) = (one.unlimited, other.unlimited) else {
        return Ok(if set && one.ordered { None } else { Some(set) });
    };
    if before.len() != after.len() {
        return Ok(Some(false));
    }
    let whole = |sql: String| Query { sql, deed: Deed::Reads };
    let before = measure::run(&mut scratch.plain, &whole(one_sql), true)?.rows;
    let after = measure::run(&mut scratch.changed, &whole(other_sql), true)?.rows;
    let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
    Ok(if same_set(&before, &after) { None } else { Some(false) })
}
