//! Plans of the optimizer: `EXPLAIN` and `ANALYZE` of MySQL and MariaDB, read into one tree.

mod block;
mod fields;
mod iterator;
mod judge;
mod lenient;
mod tabular;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use judge::{Judgement, Reason, Sorted, Step as ReadStep, Surprise};

/// A plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// How it was written.
    pub format: Format,
    /// Whether the query ran, so that the plan holds actual rows and times.
    pub analyzed: bool,
    /// What the optimizer reckons the query costs, in its own unit: not comparable between servers or versions.
    pub cost: Option<f64>,
    /// Milliseconds that the query took, where it ran.
    pub time_ms: Option<f64>,
    /// The tree.
    pub root: Node,
    /// What the plan says and this reader does not know.
    pub notes: Vec<String>,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `FORMAT=JSON` of MySQL, the format of 5.6 to 8.x: blocks and tables.
    #[default]
    MysqlBlocks,
    /// `FORMAT=JSON` of MySQL with `explain_json_format_version = 2`: iterators.
    MysqlIterators,
    /// `FORMAT=JSON` of MariaDB.
    Mariadb,
    /// Rows and columns.
    Tabular,
}

/// A step of a plan, with the steps it takes its rows from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// How it reads a table.
    pub access: Option<Access>,
    /// Rows that it reads (tables) or gives (all else) each time it runs, as estimated.
    pub rows: Option<f64>,
    /// How many of these satisfy the condition, in percent, as estimated.
    pub filtered: Option<f64>,
    /// The optimizer's cost.
    pub cost: Option<f64>,
    /// What happened.
    pub actual: Option<Actual>,
    /// The condition that its rows are checked against.
    pub condition: Option<String>,
    /// Bytes that it reads or buffers, where the plan says so.
    pub bytes: Option<u64>,
    /// What else the plan says of it.
    pub facts: Vec<String>,
    /// Where its rows come from.
    pub children: Vec<Node>,
}

/// What a step does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A SELECT, with its number.
    Block(Option<u64>),
    /// Reads a table.
    Table,
    /// Joins its children: for each row of the first, the second, and so on.
    Join,
    /// Joins its children by a hash table of one.
    HashJoin,
    /// Sorts rows that come in another order: `filesort`.
    Sort {
        /// By what.
        by: String,
        /// How many rows are kept at most.
        limit: Option<u64>,
    },
    /// Writes rows to a temporary table.
    Temporary(String),
    /// The rows of a subquery, written to a temporary table once.
    Materialized,
    /// A subquery, and where it stands.
    Subquery(String),
    /// UNION and its like.
    Union,
    /// Keeps rows that satisfy a condition.
    Filter,
    /// Stops after some rows.
    Limit {
        /// LIMIT.
        limit: Option<u64>,
        /// OFFSET.
        offset: u64,
    },
    /// Aggregates, or groups.
    Aggregate,
    /// No step at all.
    #[default]
    Nothing,
    /// Anything else, by the plan's own word.
    Other(String),
}

/// How a table is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// The table: its alias, where it has one.
    pub table: String,
    /// The plan's word: `ALL`, `index`, `range`, `ref`, `eq_ref`, `const` …
    pub kind: String,
    /// Indexes that could be used.
    pub possible_keys: Vec<String>,
    /// The index that is used.
    pub key: Option<String>,
    /// Bytes of it that are used.
    pub key_length: Option<u64>,
    /// Columns of it that are used.
    pub key_parts: Vec<String>,
    /// What they are compared with.
    pub compared_with: Vec<String>,
    /// Whether the index holds all that is needed, so that the table itself is not read.
    pub covering: bool,
    /// The condition that is checked within the index.
    pub index_condition: Option<String>,
    /// How rows are buffered to read the table fewer times.
    pub join_buffer: Option<String>,
}

/// What happened when the query ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actual {
    /// How often it ran.
    pub loops: f64,
    /// Rows each time, on average.
    pub rows: Option<f64>,
    /// Percent of them that satisfied the condition.
    pub filtered: Option<f64>,
    /// Milliseconds over all loops, steps below included where the plan counts so.
    pub time_ms: Option<f64>,
}

/// Why a plan could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// It is not JSON, and no table of EXPLAIN either.
    #[error("could not read the plan: {0}")]
    Syntax(String),
    /// It is JSON, but no plan.
    #[error("this is JSON, but no plan of EXPLAIN: it has neither `query_block` nor `operation`")]
    OtherJson,
}

impl Plan {
    /// Reads a plan as any of the servers prints it: JSON, or a table with tabs or bars.
    ///
    /// # Errors
    /// Where the text is no plan.
    pub fn read(text: &str) -> Result<Self, NoPlan> {
        let text = lenient::unwrapped(text);
        if !text.starts_with('{') {
            return tabular::read(&text);
        }
        let value = lenient::parse(&text)?;
        let object = value.as_object().ok_or(NoPlan::OtherJson)?;
        let mut plan = if object.contains_key("query_block") {
            block::read(object)
        } else if object.contains_key("operation")
            || object.contains_key("query_plan")
            || object.contains_key("inputs")
        {
            iterator::read(object)
        } else {
            return Err(NoPlan::OtherJson);
        };
        plan.notes.sort();
        plan.notes.dedup();
        Ok(plan)
    }

    /// Every node, parents before children.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let mut open = vec![&self.root];
        std::iter::from_fn(move || {
            let node = open.pop()?;
            open.extend(node.children.iter().rev());
            Some(node)
        })
    }
}

impl Node {
    fn of(kind: NodeKind) -> Self {
        Self { kind, ..Self::default() }
    }
}
