//! What a plan amounts to: rows read, rows given, why, and where the optimizer was wrong.

use serde::{Deserialize, Serialize};

use super::{Node, NodeKind, Plan};

/// How far estimates and reality may lie apart before it is said.
const FAR: f64 = 10.0;
/// Fewer rows than this are no matter.
const FEW: f64 = 100.0;

/// What a plan amounts to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judgement {
    /// Rows that are read from tables and indexes, all loops together.
    pub rows_read: f64,
    /// Rows of the answer; where they are grouped and not counted, at most these.
    pub rows_given: f64,
    /// Whether these are counted, not estimated.
    pub counted: bool,
    /// What costs most.
    pub reason: Reason,
    /// Each table that is read, in order.
    pub steps: Vec<Step>,
    /// What is sorted or written to temporary tables.
    pub sorted: Vec<Sorted>,
    /// Where the optimizer expected something else.
    pub surprises: Vec<Surprise>,
}

/// What costs most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing much: few rows are read.
    #[default]
    Little,
    /// A table is read from end to end.
    TableScan {
        /// The table.
        table: String,
        /// Rows of it.
        rows: f64,
        /// How often.
        loops: f64,
    },
    /// An index is read from end to end.
    IndexScan {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// Rows of it.
        rows: f64,
        /// How often.
        loops: f64,
    },
    /// An index finds rows, and most of them do not satisfy the rest of the condition.
    LittleKept {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// The columns of it that narrow.
        by: Vec<String>,
        /// Rows read.
        rows: f64,
        /// Percent of them that satisfy the rest.
        kept: f64,
    },
    /// A table is looked up once for each of many rows.
    ManyLookups {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// How often.
        loops: f64,
        /// Rows each time.
        rows: f64,
    },
    /// Many rows satisfy the condition.
    ManyRows {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// Rows read.
        rows: f64,
    },
}

/// A table that is read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// The table: its alias, where it has one.
    pub table: String,
    /// How often it is read.
    pub loops: f64,
    /// Rows each time.
    pub rows: f64,
    /// Rows each time that satisfy the condition.
    pub kept: f64,
}

/// Rows that are sorted or written to a temporary table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sorted {
    /// `sort` or `temporary table`, and by or for what.
    pub what: String,
    /// Rows that go in.
    pub rows: f64,
    /// Rows that come out.
    pub given: f64,
    /// Bytes of the buffer, where the plan says so.
    pub bytes: Option<u64>,
}

/// Where the optimizer expected something else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surprise {
    /// The table, or the step.
    pub at: String,
    /// `rows read`, over all loops, or `rows that satisfy the condition`.
    pub of: String,
    /// What it expected.
    pub expected: f64,
    /// What came.
    pub came: f64,
}

impl Plan {
    /// What the plan amounts to.
    pub fn judge(&self) -> Judgement {
        let mut judgement = Judgement { counted: self.analyzed, ..Judgement::default() };
        judgement.rows_given = judgement.flow(&self.root, 1.0);
        judgement.rows_read = judgement.steps.iter().map(|step| step.loops * step.rows).sum();
        judgement.reason = judgement.why(self);
        judgement
    }
}

impl Judgement {
    /// Goes through a step that runs some times, and returns the rows it gives each time.
    fn flow(&mut self, node: &Node, loops: f64) -> f64 {
        let loops = node.actual.map(|actual| actual.loops).filter(|loops| *loops > 0.0).unwrap_or(loops);
        let computed = match &node.kind {
            NodeKind::Table => return self.table(node, loops),
            NodeKind::Join => self.join(node, loops),
            NodeKind::Union => self.each(node, loops).iter().sum(),
            NodeKind::HashJoin => {
                let given = self.each(node, loops);
                given.iter().product()
            }
            NodeKind::Materialized | NodeKind::Subquery(_) => self.each(node, loops).iter().sum(),
            NodeKind::Limit { limit, offset } => {
                let rows = self.first(node, loops);
                let limit = limit.map_or(f64::INFINITY, |limit| limit as f64);
                (rows - *offset as f64).max(0.0).min(limit)
            }
            NodeKind::Sort { by, limit } => {
                let rows = self.first(node, loops);
                // MariaDB counts the row by which it sees that there are more than the limit.
                let most = limit.map_or(f64::INFINITY, |limit| limit as f64);
                let given = node.actual.and_then(|actual| actual.rows).unwrap_or(rows).min(most);
                let what = if by.is_empty() { "sort".to_owned() } else { format!("sort by {by}") };
                self.sorted.push(Sorted { what, rows: rows * loops, given, bytes: node.bytes });
                given
            }
            NodeKind::Temporary(why) => {
                let rows = self.first(node, loops);
                let what = if why.is_empty() {
                    "temporary table".to_owned()
                } else {
                    format!("temporary table for {why}")
                };
                self.sorted.push(Sorted { what, rows: rows * loops, given: rows, bytes: node.bytes });
                rows
            }
            _ => self.first(node, loops),
        };
        let said = node.actual.and_then(|actual| actual.rows).or(node.rows);
        let limited = matches!(node.kind, NodeKind::Sort { limit: Some(_), .. });
        said.filter(|_| !limited).unwrap_or(computed)
    }

    /// The rows of the first child; what else hangs on it are subqueries.
    fn first(&mut self, node: &Node, loops: f64) -> f64 {
        let mut rows = None;
        for child in &node.children {
            let times = match (&child.kind, rows) {
                (NodeKind::Subquery(_) | NodeKind::Materialized | NodeKind::Block(_), Some(rows))
                    if repeats(child) =>
                {
                    rows
                }
                _ => loops,
            };
            let given = self.flow(child, times);
            rows.get_or_insert(given);
        }
        rows.unwrap_or(0.0)
    }

    fn each(&mut self, node: &Node, loops: f64) -> Vec<f64> {
        node.children.iter().map(|child| self.flow(child, loops)).collect()
    }

    fn join(&mut self, node: &Node, loops: f64) -> f64 {
        let mut running = loops;
        for child in &node.children {
            let apart = matches!(child.kind, NodeKind::Subquery(_));
            let given = self.flow(child, running);
            if !apart {
                running *= given;
            }
        }
        if loops > 0.0 { running / loops } else { 0.0 }
    }

    fn table(&mut self, node: &Node, loops: f64) -> f64 {
        for child in &node.children {
            self.flow(child, 1.0);
        }
        let expected = node.rows.unwrap_or(0.0);
        let came = node.actual.and_then(|actual| actual.rows);
        let share = |filtered: Option<f64>| filtered.map_or(1.0, |percent| percent / 100.0);
        let expected_kept = expected * share(node.filtered);
        let rows = came.unwrap_or(expected);
        let kept = match node.actual {
            Some(actual) => rows * share(actual.filtered.or(actual.rows.is_none().then_some(100.0))),
            None => expected_kept,
        };
        let name = node.access.as_ref().map(|access| access.table.clone()).unwrap_or_default();
        let buffered = node.access.as_ref().is_some_and(|access| access.join_buffer.is_some());
        // A buffered table is read once for each full buffer, mostly once.
        let reads = if buffered && node.actual.is_none() { loops.min(1.0) } else { loops };
        if came.is_some() && node.rows.is_some() {
            let times = reads.max(1.0);
            self.compare(&name, "rows read", expected * times, rows * times);
            if node.actual.is_some_and(|actual| actual.filtered.is_some()) {
                self.compare(&name, "rows that satisfy the condition", expected_kept * times, kept * times);
            }
        }
        let placeholder = name.starts_with('<');
        if !placeholder || node.children.is_empty() {
            self.steps.push(Step { table: name, loops: reads, rows, kept });
        }
        kept
    }

    fn compare(&mut self, at: &str, of: &str, expected: f64, came: f64) {
        let (low, high) = if expected < came { (expected, came) } else { (came, expected) };
        let known = self.surprises.iter().any(|known| known.at == at && known.came == came);
        if high >= FEW && high >= FAR * low.max(1.0) && !known {
            self.surprises.push(Surprise { at: at.to_owned(), of: of.to_owned(), expected, came });
        }
    }

    fn why(&self, plan: &Plan) -> Reason {
        let total = |step: &Step| step.loops * step.rows;
        let Some(worst) = self.steps.iter().max_by(|a, b| total(a).total_cmp(&total(b))) else {
            return Reason::Little;
        };
        if total(worst) < FEW || total(worst) <= 3.0 * self.rows_given {
            return Reason::Little;
        }
        let mut accesses = plan.nodes().filter_map(|node| node.access.as_ref());
        let Some(access) = accesses.find(|access| access.table == worst.table) else { return Reason::Little };
        let (table, index) = (worst.table.clone(), access.key.clone().unwrap_or_default());
        let Step { rows, loops, .. } = *worst;
        let kept = if rows > 0.0 { 100.0 * worst.kept / rows } else { 100.0 };
        match access.kind.as_str() {
            "ALL" => Reason::TableScan { table, rows, loops },
            "index" => Reason::IndexScan { table, index, rows, loops },
            _ if kept <= 20.0 => {
                Reason::LittleKept { table, index, by: access.key_parts.clone(), rows: rows * loops, kept }
            }
            _ if loops > rows => Reason::ManyLookups { table, index, loops, rows },
            _ => Reason::ManyRows { table, index, rows: rows * loops },
        }
    }
}

fn repeats(node: &Node) -> bool {
    let says = |text: &String| text.contains("runs again for each row");
    let dependent = matches!(&node.kind, NodeKind::Subquery(kind) if kind.contains("dependent"));
    dependent || node.facts.iter().any(says) || node.children.iter().any(|child| child.facts.iter().any(says))
}
