//! Expressions: columns in them, constants, and what is made of a column.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, ObjectName, Query, UnaryOperator, Value, Visit, Visitor};

use super::Literal;

/// A column as it is written: the table's name, where it is there, and the column's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) table: Option<String>,
    pub(super) column: String,
}

/// Functions that aggregate rows.
const AGGREGATES: [&str; 14] = [
    "COUNT",
    "SUM",
    "MIN",
    "MAX",
    "AVG",
    "GROUP_CONCAT",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "STD",
    "STDDEV",
    "VARIANCE",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
];

/// Functions whose value changes from row to row.
const VOLATILE: [&str; 4] = ["RAND", "UUID", "UUID_SHORT", "SLEEP"];

/// The expression without the parentheses around it.
pub(super) fn bare(mut expression: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    expression
}

/// The column, where the expression is nothing else.
pub(super) fn column(expression: &Expr) -> Option<Named> {
    match bare(expression) {
        Expr::Identifier(ident) => named(std::slice::from_ref(ident)),
        Expr::CompoundIdentifier(parts) => named(parts),
        _ => None,
    }
}

fn named(parts: &[Ident]) -> Option<Named> {
    let (last, before) = parts.split_last()?;
    if last.quote_style.is_none() && last.value.starts_with('@') {
        return None;
    }
    Some(Named { table: before.last().map(|table| table.value.clone()), column: last.value.clone() })
}

/// The columns of an expression, those of subqueries left out.
pub(super) fn columns<T: Visit>(expression: &T) -> Vec<Named> {
    let mut found = Found::default();
    let _: ControlFlow<()> = expression.visit(&mut found);
    found.columns
}

/// A subquery of an expression.
pub(super) struct Subquery {
    pub(super) used: Use,
    /// The column and the text of the condition, where it is `column IN (SELECT …)`.
    pub(super) condition: Option<(Named, String)>,
    pub(super) query: Query,
}

/// The subqueries of an expression; those within them are left out.
pub(super) fn subqueries<T: Visit>(expression: &T) -> Vec<Subquery> {
    let mut found = Found::default();
    let _: ControlFlow<()> = expression.visit(&mut found);
    found.subqueries
}

/// How a subquery is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    In { negated: bool },
    Exists { negated: bool },
    Scalar,
}

#[derive(Default)]
struct Found {
    depth: usize,
    next: Option<(Use, Option<(Named, String)>)>,
    columns: Vec<Named>,
    subqueries: Vec<Subquery>,
    aggregate: bool,
    volatile: bool,
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            let (used, condition) = self.next.take().unwrap_or((Use::Scalar, None));
            self.subqueries.push(Subquery { used, condition, query: query.clone() });
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match expression {
            Expr::Identifier(ident) => self.columns.extend(named(std::slice::from_ref(ident))),
            Expr::CompoundIdentifier(parts) => self.columns.extend(named(parts)),
            Expr::MatchAgainst { columns, .. } => self.columns.extend(columns.iter().filter_map(of_object)),
            Expr::InSubquery { expr, negated, .. } => {
                let condition = column(expr).map(|named| (named, expression.to_string()));
                self.next = Some((Use::In { negated: *negated }, condition));
            }
            Expr::Exists { negated, .. } => self.next = Some((Use::Exists { negated: *negated }, None)),
            Expr::Function(function) => {
                let name = last(&function.name).to_ascii_uppercase();
                self.aggregate |= AGGREGATES.contains(&name.as_str());
                self.volatile |= VOLATILE.contains(&name.as_str());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn of_object(name: &ObjectName) -> Option<Named> {
    let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
    named(&parts)
}

/// The last part of a name.
pub(super) fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

/// Whether an expression aggregates rows.
pub(super) fn aggregates(expression: &Expr) -> bool {
    let mut found = Found::default();
    let _: ControlFlow<()> = expression.visit(&mut found);
    found.aggregate
}

/// The constant that an expression is: a value, or something made of values only.
pub(super) fn literal(expression: &Expr) -> Option<Literal> {
    match bare(expression) {
        Expr::Value(value) => Some(of_value(&value.value)),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(expr)? {
            Literal::Number(number) => Some(Literal::Number(format!("-{number}"))),
            _ => Some(Literal::Expression(expression.to_string())),
        },
        other => {
            let mut found = Found::default();
            let _: ControlFlow<()> = other.visit(&mut found);
            let constant = found.columns.is_empty() && found.subqueries.is_empty() && !found.volatile;
            (constant && !found.aggregate).then(|| Literal::Expression(other.to_string()))
        }
    }
}

fn of_value(value: &Value) -> Literal {
    match value {
        Value::Number(number, _) => Literal::Number(number.clone()),
        Value::Null => Literal::Null,
        Value::Boolean(value) => Literal::Boolean(*value),
        Value::Placeholder(_) => Literal::Parameter,
        Value::HexStringLiteral(_) => Literal::Expression(value.to_string()),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Literal::Text(text.clone()),
        other => Literal::Text(other.clone().into_string().unwrap_or_default()),
    }
}

/// What is made of a column: the function's name and the type of a cast.
pub(super) fn made(expression: &Expr) -> (String, Option<String>) {
    match bare(expression) {
        Expr::Function(function) => (last(&function.name).to_ascii_uppercase(), None),
        Expr::Cast { data_type, .. } => ("CAST".to_owned(), Some(data_type.to_string())),
        Expr::Convert { data_type, charset, .. } => {
            let target =
                data_type.as_ref().map(ToString::to_string).or(charset.as_ref().map(ToString::to_string));
            ("CONVERT".to_owned(), target)
        }
        Expr::Collate { collation, .. } => ("COLLATE".to_owned(), Some(collation.to_string())),
        Expr::Substring { .. } => ("SUBSTRING".to_owned(), None),
        Expr::Trim { .. } => ("TRIM".to_owned(), None),
        Expr::Extract { .. } => ("EXTRACT".to_owned(), None),
        Expr::Ceil { .. } => ("CEIL".to_owned(), None),
        Expr::Floor { .. } => ("FLOOR".to_owned(), None),
        Expr::Case { .. } => ("CASE".to_owned(), None),
        Expr::BinaryOp { op, .. } => (op.to_string(), None),
        Expr::UnaryOp { op, .. } => (op.to_string(), None),
        Expr::Prefixed { prefix, .. } => (prefix.value.to_ascii_uppercase(), None),
        _ => (String::new(), None),
    }
}
