//! A trial from beginning to end.

use std::time::{Duration, Instant};

use database::Login;

use super::copy::{Copied, Copier};
use super::judge::{Effect, effect};
use super::measure::Query;
use super::permit::Deed;
use super::runs::{Contest, Turns, turns};
use super::scratch::{Scratch, analyze};
use super::source::{Source, SourceFacts, SourceTable};
use super::state::{differences, state};
use super::{Limits, Place, Sample, Stop, TrialError};
use crate::{Advice, Measured, Step, TrialOutcome};

/// Copies of tables on which any number of pieces of advice are tried, one after the other.
pub struct Trial {
    scratch: Scratch,
    facts: SourceFacts,
    tables: Vec<SourceTable>,
    copied: Copied,
    limits: Limits,
    stop: Stop,
}

impl Trial {
    /// Copies `tables` of one schema of the server `source`. Whoever handles signals keeps a clone of `stop`.
    ///
    /// # Errors
    /// When the source cannot be read, a table is no table or keeps its rows elsewhere, or the copies cannot be made.
    pub fn prepare(
        source: &Login,
        schema: &str,
        tables: &[String],
        place: Place,
        limits: &Limits,
        stop: &Stop,
    ) -> Result<Self, TrialError> {
        let mut from = Source::open(source, schema, limits.statement_s)?;
        let tables: Vec<SourceTable> =
            tables.iter().map(|name| from.table(name)).collect::<Result<_, _>>()?;
        stop.check()?;
        let facts = from.facts.clone();
        let mut scratch = Scratch::make(place, source, &facts, limits, stop)?;
        let same_kind = facts.mariadb == scratch.mariadb;
        for table in &tables {
            scratch.create_table(table, same_kind)?;
        }
        let copied = Copier::new(&mut from, &mut scratch.plain, limits, stop).run(&tables)?;
        drop(from);
        stop.check()?;
        scratch.repeat(&tables)?;
        for name in scratch.run_as(&facts) {
            scratch.said.push_str(&format!("; without the source's {name}"));
        }
        if !same_kind {
            scratch.said.push_str(&format!("; the source is {}, which plans otherwise", facts.version));
        }
        Ok(Self { scratch, facts, tables, copied, limits: limits.clone(), stop: stop.clone() })
    }

    /// Tries one piece of advice: its queries before and after, in turn; then undoes it. Queries that it rewrites run as its
    /// rewrites say, the others of `samples` as they are on both sides.
    ///
    /// # Errors
    /// When a statement would reach beyond the copies, a query fails, or the end was asked for. Advice whose own statements
    /// fail is not an error: it does not help.
    pub fn of(&mut self, advice: &Advice, samples: &[Sample]) -> Result<TrialOutcome, TrialError> {
        let result = self.attempt(advice, samples);
        // Where the end was asked for, whatever broke was broken by that.
        self.stop.check()?;
        result
    }

    /// Removes the copies, and says when that fails; dropping removes them as well.
    ///
    /// # Errors
    /// When a schema of the trial could not be dropped.
    pub fn end(self) -> Result<(), TrialError> {
        self.scratch.end()
    }

    fn attempt(&mut self, advice: &Advice, samples: &[Sample]) -> Result<TrialOutcome, TrialError> {
        let contests = self.contests(advice, samples)?;
        let mut outcome = TrialOutcome {
            server: self.scratch.said.clone(),
            copied: self.counts(),
            ..TrialOutcome::default()
        };
        if contests.is_empty() {
            return Err(TrialError::Refused("there is no query to try it with".to_owned()));
        }
        let original = state(&mut self.scratch.changed)?;
        self.scratch.limit(self.limits.step_s)?;
        let applied = self.apply(&advice.up)?;
        let mut judged = Ok(());
        if applied.is_none() {
            analyze(&mut self.scratch.changed)?;
            self.scratch.limit(self.limits.statement_s)?;
            judged = self.judge(&contests, &mut outcome);
            self.stop.check()?;
            self.scratch.limit(self.limits.step_s)?;
        }
        let undone = self.undo(advice, applied.is_some())?;
        let left = differences(&original, &state(&mut self.scratch.changed)?);
        if !left.is_empty() {
            self.scratch.repeat(&self.tables)?;
        }
        judged?;
        if let Some(reason) = applied {
            outcome.verdict = format!("withdrawn: {reason}");
        } else if let Some(reason) = undone {
            (outcome.helps, outcome.verdict) =
                (false, format!("withdrawn: it could not be undone: {reason}"));
        } else if !left.is_empty() {
            (outcome.helps, outcome.verdict) =
                (false, format!("withdrawn: undoing it does not restore {}", left.join(", ")));
        }
        Ok(outcome)
    }

    fn counts(&self) -> Vec<(String, u64, u64)> {
        let count = |table: &SourceTable| {
            let copied = self.copied.get(&table.name).copied().unwrap_or(0);
            (table.name.clone(), copied, table.rows.max(copied))
        };
        self.tables.iter().map(count).collect()
    }

    fn contests(&self, advice: &Advice, samples: &[Sample]) -> Result<Vec<Contest>, TrialError> {
        let mut contests = Vec::new();
        for rewrite in &advice.rewrites {
            let (before, after) = (self.query(&rewrite.before)?, self.query(&rewrite.after)?);
            contests.push(Contest {
                class: rewrite.class.clone(),
                before,
                after,
                differs: rewrite.differs.clone(),
            });
        }
        let rewritten =
            |sample: &&Sample| advice.rewrites.iter().all(|rewrite| rewrite.class != sample.class);
        for sample in samples.iter().filter(rewritten) {
            let before = self.query(&sample.sql)?;
            let after = before.clone();
            contests.push(Contest { class: sample.class.clone(), before, after, differs: Vec::new() });
        }
        Ok(contests)
    }

    fn query(&self, sql: &str) -> Result<Query, TrialError> {
        let refused = |reason: String| {
            let begin: String = sql.chars().take(80).collect();
            TrialError::Refused(format!("`{begin}` is not tried: {reason}"))
        };
        let (sql, deed) = self.scratch.permit.check(sql).map_err(refused)?;
        match deed {
            Deed::Defines => Err(refused("it is no query".to_owned())),
            Deed::Changes if self.tables.iter().any(|table| !table.transactional) => {
                Err(refused("what it changes could not be rolled back".to_owned()))
            }
            Deed::Reads | Deed::Changes => Ok(Query { sql, deed }),
        }
    }

    /// Does the steps on the changed copy; the reason, where one of them fails.
    fn apply(&mut self, steps: &[Step]) -> Result<Option<String>, TrialError> {
        for step in steps {
            self.stop.check()?;
            let (sql, _) = match self.scratch.permit.check(&step.sql) {
                Ok(permitted) => permitted,
                Err(reason) => {
                    return Err(TrialError::Refused(format!("`{}` is not tried: {reason}", step.what)));
                }
            };
            if let Err(reason) = self.step(step, &sql) {
                self.stop.check()?;
                return Ok(Some(format!("`{}` failed: {reason}", step.what)));
            }
        }
        Ok(None)
    }

    fn step(&mut self, step: &Step, sql: &str) -> Result<(), String> {
        let begun = Instant::now();
        let already = self.probe(&step.probe)?;
        if already == Some(true) && step.until_no_rows {
            return Ok(());
        }
        if already == Some(true) {
            return Err("its probe says that it is done already".to_owned());
        }
        let connection = &mut self.scratch.changed;
        while connection.execute(sql).map_err(|error| error.to_string())? > 0 && step.until_no_rows {
            if begun.elapsed() > Duration::from_secs(self.limits.step_s) {
                return Err(format!("it is not done after {} s", self.limits.step_s));
            }
            self.stop.check().map_err(|error| error.to_string())?;
        }
        match self.probe(&step.probe)? {
            Some(false) => Err("its probe says that it is not done".to_owned()),
            _ => Ok(()),
        }
    }

    fn probe(&mut self, probe: &str) -> Result<Option<bool>, String> {
        if probe.is_empty() {
            return Ok(None);
        }
        let (sql, deed) = self.scratch.permit.check(probe)?;
        if deed != Deed::Reads {
            return Err("its probe is no query".to_owned());
        }
        let answer = self.scratch.changed.query(&sql).map_err(|error| error.to_string())?;
        Ok(Some(answer.first() == Some("1")))
    }

    /// Undoes the advice; the first reason, where that fails. After a step that failed, those that never ran may fail.
    fn undo(&mut self, advice: &Advice, partly: bool) -> Result<Option<String>, TrialError> {
        let mut first = None;
        for sql in advice.down() {
            self.stop.check()?;
            let permitted = self.scratch.permit.check(sql).map_err(TrialError::Refused)?;
            if let Err(error) = self.scratch.changed.execute(&permitted.0) {
                first.get_or_insert(error.to_string());
            }
        }
        Ok(first.filter(|_| !partly))
    }

    fn judge(&mut self, contests: &[Contest], outcome: &mut TrialOutcome) -> Result<(), TrialError> {
        let mut effects = Vec::new();
        for contest in contests {
            let turns = turns(&mut self.scratch, contest, &self.limits, &self.stop)?;
            outcome.queries.push(measured(contest, &turns));
            effects.push((contest, effect(&turns), turns));
        }
        (outcome.helps, outcome.verdict) = verdict(&effects);
        Ok(())
    }

    /// The version of the server that was read, for what is said of a trial.
    pub fn source_version(&self) -> &str {
        &self.facts.version
    }
}

fn measured(contest: &Contest, turns: &Turns) -> Measured {
    Measured {
        class: contest.class.clone(),
        before_s: turns.before_s(),
        after_s: turns.after_s(),
        before_rows_read: turns.rows_read.0,
        after_rows_read: turns.rows_read.1,
        before_rows_examined: turns.examined.0,
        after_rows_examined: turns.examined.1,
        same_rows: turns.same_rows,
    }
}

fn verdict(effects: &[(&Contest, Effect, Turns)]) -> (bool, String) {
    let said = |turns: &Turns| {
        let (before, after) = (turns.before_s() * 1e3, turns.after_s() * 1e3);
        let (read_before, read_after) = turns.rows_read;
        format!("{before:.3} ms → {after:.3} ms, rows read {read_before} → {read_after}")
    };
    let differs = |(contest, _, turns): &&(&Contest, Effect, Turns)| {
        turns.same_rows == Some(false) && contest.differs.is_empty()
    };
    if let Some((contest, ..)) = effects.iter().find(differs) {
        return (false, format!("withdrawn: query {} gives other rows", contest.class));
    }
    if let Some((contest, _, turns)) = effects.iter().find(|(_, effect, _)| *effect == Effect::Harmed) {
        return (false, format!("withdrawn: query {} becomes slower: {}", contest.class, said(turns)));
    }
    match effects.iter().find(|(_, effect, _)| *effect == Effect::Helped) {
        Some((_, _, turns)) if turns.cut_before => (
            true,
            format!("did not end within its deadline before, takes {:.3} ms after", turns.after_s() * 1e3),
        ),
        Some((_, _, turns)) => (true, format!("{} in {} turns", said(turns), turns.pairs.len())),
        None => {
            let first = effects.first().map(|(_, _, turns)| said(turns)).unwrap_or_default();
            (false, format!("withdrawn: no gain beyond noise without reading more rows: {first}"))
        }
    }
}
