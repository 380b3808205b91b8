//! Advice as data.

use serde::{Deserialize, Serialize};

/// One piece of advice, complete: nothing is left to decide for who follows it but what `cautions` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Advice {
    /// `kind.problem`, as `index.missing` or `schema.attributes-as-rows`: what is wrong, never the cure.
    pub id: String,
    /// What to do, in one line.
    pub title: String,
    /// Why, with this statement's own tables, columns and numbers.
    pub why: Vec<String>,
    /// Class IDs (32 hexadecimal digits) of the queries that it serves.
    pub classes: Vec<String>,
    /// Statements that do it, in order. Empty where only the application can change.
    pub up: Vec<Step>,
    /// What the application should send instead.
    pub rewrites: Vec<Rewrite>,
    /// What must be decided or watched by a person: write load, disk space, rows that do not fit, code that relies on it.
    pub cautions: Vec<String>,
    /// What the trial showed; `None` where it was not tried.
    pub trial: Option<TrialOutcome>,
}

impl Advice {
    /// Statements that undo it, in order: those of the steps, backwards.
    pub fn down(&self) -> impl Iterator<Item = &str> {
        self.up.iter().rev().filter_map(|step| step.undo.as_deref())
    }
}

/// One statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// What it does, in words.
    pub what: String,
    /// The statement, without the last `;`.
    pub sql: String,
    /// The statement that undoes it; `None` where undoing an earlier step undoes it too, as with the rows of a new table.
    pub undo: Option<String>,
    /// A query of one value, which is 0 while the statement is not done (or is undone) and 1 once it is.
    pub probe: String,
    /// Whether it is to be repeated until it changes no row: a backfill in chunks.
    pub until_no_rows: bool,
}

impl Step {
    /// A statement that is sent once.
    pub fn once(what: impl Into<String>, sql: impl Into<String>, probe: impl Into<String>) -> Self {
        Self { what: what.into(), sql: sql.into(), probe: probe.into(), undo: None, until_no_rows: false }
    }

    /// A statement that is sent until it changes no row.
    pub fn repeated(what: impl Into<String>, sql: impl Into<String>, probe: impl Into<String>) -> Self {
        Self { until_no_rows: true, ..Self::once(what, sql, probe) }
    }

    /// Adds the statement that undoes it.
    #[must_use]
    pub fn undone_by(mut self, sql: impl Into<String>) -> Self {
        self.undo = Some(sql.into());
        self
    }
}

/// A query, and what asks the same of the changed schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rewrite {
    /// The class ID of the query (32 hexadecimal digits).
    pub class: String,
    /// The query as it came.
    pub before: String,
    /// What to send instead.
    pub after: String,
    /// Where the answers may differ, and how; empty where they are the same.
    pub differs: Vec<String>,
}

/// What a trial showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialOutcome {
    /// Where it was tried: the scratch schema or the throw-away server, with its version.
    pub server: String,
    /// Rows that were copied, by table, and of how many.
    pub copied: Vec<(String, u64, u64)>,
    /// Whether it helps: faster beyond noise, and fewer rows read. Advice that does not is withdrawn.
    pub helps: bool,
    /// Why it was judged so, in one line.
    pub verdict: String,
    /// Each query with and without.
    pub queries: Vec<Measured>,
}

/// One query before and after.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// The class ID of the query.
    pub class: String,
    /// Seconds, the median of several runs in turn.
    pub before_s: f64,
    /// The same after.
    pub after_s: f64,
    /// Rows that the storage engines handed out (the sum of `Handler_read_*`).
    pub before_rows_read: u64,
    /// The same after.
    pub after_rows_read: u64,
    /// Rows examined, where the server says.
    pub before_rows_examined: Option<u64>,
    /// The same after.
    pub after_rows_examined: Option<u64>,
    /// Whether both gave the same rows; `None` where order or values are not comparable.
    pub same_rows: Option<bool>,
}
