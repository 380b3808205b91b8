//! What a query asks of one joined row of attributes.

use sqlparser::ast::{BinaryOperator, Expr, Value};

use crate::derived::{column, literal, sql};

/// A joined row of attributes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attribute {
    /// The alias of its table in the query.
    pub(crate) alias: String,
    /// Its key, without quotes.
    pub(crate) key: String,
    /// Conditions on `meta_value`.
    pub(crate) conditions: Vec<Expr>,
    /// Whether the query orders by it.
    pub(crate) ordered: bool,
    /// What is made of `meta_value`, where that can be a column.
    pub(crate) values: Vec<ValueOf>,
    /// Whether a condition asks for what only a flag can answer.
    pub(crate) only_flag: bool,
}

/// What is made of `meta_value`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueOf {
    /// As the query writes it.
    pub(crate) expression: Expr,
    pub(crate) kind: Typed,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// What a CAST names.
    Cast(String),
    /// A number as MySQL makes one of text.
    Double,
    /// Text that is compared with constants of up to so many characters.
    Text(usize),
}

impl Attribute {
    pub(crate) fn literal(&self) -> String {
        literal(&self.key)
    }

    /// Takes a condition on `meta_value`.
    pub(crate) fn condition(&mut self, condition: &Expr) {
        match operand(condition) {
            Some((operand, others)) => match value_of(operand, &others) {
                Some(value) => self.value(value),
                None => self.only_flag = true,
            },
            None => self.only_flag = true,
        }
        self.conditions.push(condition.clone());
    }

    pub(crate) fn value(&mut self, value: ValueOf) {
        match self.values.iter_mut().find(|known| known.expression == value.expression) {
            Some(known) => match (&mut known.kind, &value.kind) {
                (Typed::Text(known), Typed::Text(new)) => *known = (*known).max(*new),
                (known, new) if known == new => {}
                // One expression compared as text and as number: no one column serves both.
                _ => self.only_flag = true,
            },
            None => self.values.push(value),
        }
    }
}

/// The operand that holds the column, and the constants it is compared with.
fn operand(condition: &Expr) -> Option<(&Expr, Vec<&Expr>)> {
    match condition {
        Expr::Nested(inner) => operand(inner),
        Expr::BinaryOp { left, op, right } if compares(op) => {
            if constant(right) {
                Some((left, vec![right]))
            } else {
                constant(left).then(|| (right.as_ref(), vec![left.as_ref()]))
            }
        }
        Expr::Between { expr, low, high, negated: false } if constant(low) && constant(high) => {
            Some((expr, vec![low, high]))
        }
        Expr::InList { expr, list, negated: false } if list.iter().all(constant) => {
            Some((expr, list.iter().collect()))
        }
        _ => None,
    }
}

fn compares(operator: &BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Eq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

fn constant(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => !matches!(value.value, Value::Null | Value::Placeholder(_)),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => constant(expr),
        _ => false,
    }
}

/// The column that holds what is compared, where comparing it gives the same as comparing the text.
pub(crate) fn value_of(operand: &Expr, with: &[&Expr]) -> Option<ValueOf> {
    let expression = operand.clone();
    match operand {
        Expr::Nested(inner) => value_of(inner, with).map(|value| ValueOf { expression, ..value }),
        Expr::Cast { expr, data_type, .. } if is_value(expr) => {
            let kind = data_type.to_string().to_lowercase();
            let kind = kind.split_whitespace().next().unwrap_or_default();
            cast(kind).map(|kind| ValueOf { expression, kind: Typed::Cast(kind) })
        }
        Expr::BinaryOp { left, op: BinaryOperator::Plus, right }
            if is_value(left) && sql(right.as_ref()) == "0" =>
        {
            Some(ValueOf { expression, kind: Typed::Double })
        }
        plain if is_value(plain) => {
            let texts: Vec<usize> = with.iter().filter_map(|constant| text_length(constant)).collect();
            let kind = match (texts.len(), with.len()) {
                (0, 1..) => Typed::Double,
                (texts_count, all) if texts_count == all => Typed::Text(texts.into_iter().max().unwrap_or(0)),
                _ => return None,
            };
            Some(ValueOf { expression, kind })
        }
        _ => None,
    }
}

fn is_value(expression: &Expr) -> bool {
    column(expression).is_some_and(|(_, column)| column.eq_ignore_ascii_case("meta_value"))
}

fn text_length(constant: &Expr) -> Option<usize> {
    match constant {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.chars().count()),
            _ => None,
        },
        Expr::Nested(inner) => text_length(inner),
        _ => None,
    }
}

/// The column's type for a CAST's.
fn cast(kind: &str) -> Option<String> {
    match kind {
        "signed" => Some("bigint(20)".to_owned()),
        "unsigned" => Some("bigint(20) unsigned".to_owned()),
        "decimal" => Some("decimal(10,0)".to_owned()),
        "date" | "datetime" | "time" => Some(kind.to_owned()),
        _ if kind.starts_with("decimal(") || kind.starts_with("datetime(") || kind.starts_with("time(") => {
            Some(kind.to_owned())
        }
        _ => None,
    }
}
