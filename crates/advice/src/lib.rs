//! Advice on queries and schema of MySQL and MariaDB.
//!
//! [`Advice`] is data: statements that do it, statements that undo it, what the application must change, and, after a trial
//! in a scratch copy, what it was worth. Everything but `trial` and `schema`'s reading over a connection is pure.

mod advice;
pub mod autoload;
mod derived;
mod plan;
mod restructure;
mod rules;
mod schema;
pub mod spatial;
mod statement;
pub mod trial;
pub mod typed_table;
mod wording;

pub use advice::{Advice, Measured, Rewrite, Step, TrialOutcome};
pub use plan::{
    Access, Actual, Format, Judgement, NoPlan, Node, NodeKind, Plan, ReadStep, Reason, Sorted, Surprise,
};
pub use restructure::{Restructured, restructure};
pub use rules::{Case, Figures, Query, RULES, Rule, advise};
pub use schema::{Column, Counted, Dialect, Index, IndexKind, IndexPart, Schema, TableDefinition};
pub use statement::{
    Block, BlockRole, Clause, ColumnUse, JoinKind, Key, Literal, Place, Predicate, Role, SelectItem,
    SelectList, Statement, StatementKind, TableUse, Unparsed, Wrapped,
};
