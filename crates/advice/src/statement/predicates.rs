//! Conditions, by what they ask of a column.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::collect::Collector;
use super::expression::{self, Named, bare, column, literal};
use super::{Clause, ColumnUse, Literal, Predicate, Role, Wrapped};

/// Adds the conditions of an expression to a block.
pub(super) fn add(collector: &mut Collector, block: usize, clause: Clause, condition: &Expr) {
    let mut open = vec![(condition, true)];
    while let Some((condition, required)) = open.pop() {
        match bare(condition) {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                open.push((right, required));
                open.push((left, required));
            }
            Expr::BinaryOp { left, op: op @ (BinaryOperator::Or | BinaryOperator::Xor), right } => {
                match (op, alternatives(condition)) {
                    (BinaryOperator::Or, Some((named, values))) => {
                        let role = Role::In(values);
                        push(collector, block, clause, required, condition, Some((named, role)));
                    }
                    _ => {
                        open.push((right, false));
                        open.push((left, false));
                    }
                }
            }
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => {
                let found = expression::columns(expr.as_ref()).into_iter().next();
                push(collector, block, clause, required, condition, found.map(|named| (named, Role::Not)));
            }
            other => leaf(collector, block, clause, required, other),
        }
    }
}

/// The column and its values, where all sides of an OR compare the same column with constants.
fn alternatives(condition: &Expr) -> Option<(Named, Vec<Literal>)> {
    let (mut open, mut values, mut named): (_, _, Option<Named>) = (vec![condition], Vec::new(), None);
    while let Some(side) = open.pop() {
        let (found, mut more) = match bare(side) {
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                open.push(right);
                open.push(left);
                continue;
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => match (column(left), literal(right)) {
                (Some(found), Some(value)) => (found, vec![value]),
                _ => (column(right)?, vec![literal(left)?]),
            },
            Expr::InList { expr, list, negated: false } => {
                (column(expr)?, list.iter().map(literal).collect::<Option<Vec<_>>>()?)
            }
            _ => return None,
        };
        if named.as_ref().is_some_and(|named| *named != found) {
            return None;
        }
        named = Some(found);
        values.append(&mut more);
    }
    Some((named?, values))
}

fn leaf(collector: &mut Collector, block: usize, clause: Clause, required: bool, condition: &Expr) {
    let pair = match condition {
        Expr::BinaryOp { left, op, right } => comparison(collector, block, left, op, right).or_else(|| {
            let turned = turned(op)?;
            comparison(collector, block, right, &turned, left)
        }),
        Expr::InList { expr, list, negated } => in_list(expr, list, *negated),
        Expr::Between { expr, negated, low, high } => between(expr, low, high, *negated),
        Expr::Like { negated, expr, pattern, .. } => like(expr, pattern, *negated),
        Expr::IsNull(expr) => column(expr).map(|named| (named, Role::IsNull)),
        Expr::IsNotNull(expr) => column(expr).map(|named| (named, Role::Not)),
        _ => None,
    };
    let pair = pair.or_else(|| {
        let named = match condition {
            Expr::InSubquery { expr, .. } | Expr::IsNull(expr) | Expr::IsNotNull(expr) => column(expr)?,
            Expr::MatchAgainst { .. } | Expr::RLike { .. } | Expr::BinaryOp { .. } => {
                expression::columns(condition).into_iter().next()?
            }
            _ => return None,
        };
        Some((named, Role::Other))
    });
    push(collector, block, clause, required, condition, pair);
    if let (BinaryOperator::Eq, Some((left, right))) = both_columns(condition) {
        let role = Role::Join(collector.column(block, &left));
        push(collector, block, clause, required, condition, Some((right, role)));
    }
}

/// The columns on both sides of a comparison, where there are two.
fn both_columns(condition: &Expr) -> (BinaryOperator, Option<(Named, Named)>) {
    match condition {
        Expr::BinaryOp { left, op, right } => (op.clone(), column(left).zip(column(right))),
        _ => (BinaryOperator::And, None),
    }
}

fn comparison(
    collector: &Collector,
    block: usize,
    left: &Expr,
    operator: &BinaryOperator,
    right: &Expr,
) -> Option<(Named, Role)> {
    let values = literal(right);
    if let Some(named) = column(left) {
        let role = match (operator, values) {
            (BinaryOperator::Eq | BinaryOperator::Spaceship, Some(Literal::Null)) => Role::IsNull,
            (BinaryOperator::Eq | BinaryOperator::Spaceship, Some(value)) => Role::Equal(value),
            (BinaryOperator::NotEq, Some(_)) => Role::Not,
            (operator, Some(value)) if is_range(operator) => Role::Range(operator.to_string(), vec![value]),
            (BinaryOperator::Eq, None) => match column(right) {
                Some(other) => Role::Join(collector.column(block, &other)),
                None => return None,
            },
            _ => return None,
        };
        return Some((named, role));
    }
    let comparable =
        *operator == BinaryOperator::Eq || *operator == BinaryOperator::Spaceship || is_range(operator);
    wrapped(left, &operator.to_string(), Vec::from_iter(values)).filter(|_| comparable)
}

/// Something made of one column, compared.
fn wrapped(expression: &Expr, operator: &str, with: Vec<Literal>) -> Option<(Named, Role)> {
    let mut columns = expression::columns(expression);
    columns.dedup();
    let [named] = columns.as_slice() else { return None };
    let (function, target) = expression::made(expression);
    if function.is_empty() || expression::aggregates(expression) {
        return None;
    }
    let expression = bare(expression).to_string();
    let wrapped = Wrapped { expression, function, target, operator: operator.to_owned(), with };
    Some((named.clone(), Role::Wrapped(wrapped)))
}

fn in_list(expr: &Expr, list: &[Expr], negated: bool) -> Option<(Named, Role)> {
    let values: Option<Vec<Literal>> = list.iter().map(literal).collect();
    match (column(expr), negated) {
        (Some(named), true) => Some((named, Role::Not)),
        (Some(named), false) => Some((named, values.map_or(Role::Other, Role::In))),
        (None, _) => wrapped(expr, if negated { "NOT IN" } else { "IN" }, values.unwrap_or_default()),
    }
}

fn between(expr: &Expr, low: &Expr, high: &Expr, negated: bool) -> Option<(Named, Role)> {
    let bounds: Option<Vec<Literal>> = [low, high].into_iter().map(literal).collect();
    match (column(expr), negated) {
        (Some(named), true) => Some((named, Role::Not)),
        (Some(named), false) => {
            Some((named, bounds.map_or(Role::Other, |bounds| Role::Range("BETWEEN".into(), bounds))))
        }
        (None, _) => wrapped(expr, "BETWEEN", bounds.unwrap_or_default()),
    }
}

fn like(expr: &Expr, pattern: &Expr, negated: bool) -> Option<(Named, Role)> {
    let pattern = literal(pattern);
    let Some(named) = column(expr) else { return wrapped(expr, "LIKE", Vec::from_iter(pattern)) };
    if negated {
        return Some((named, Role::Not));
    }
    let role = match pattern {
        Some(Literal::Text(pattern)) => of_pattern(pattern),
        _ => Role::Other,
    };
    Some((named, role))
}

/// What a pattern of LIKE asks: `%` and `_` stand for anything unless a backslash stands before them.
fn of_pattern(pattern: String) -> Role {
    let (mut beginning, mut characters) = (String::new(), pattern.chars());
    while let Some(character) = characters.next() {
        match character {
            '%' | '_' if beginning.is_empty() => return Role::LikeAnywhere(pattern),
            '%' | '_' => return Role::LikePrefix(beginning),
            '\\' => beginning.extend(characters.next()),
            other => beginning.push(other),
        }
    }
    Role::Equal(Literal::Text(beginning))
}

fn is_range(operator: &BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq)
}

/// The operator with its sides exchanged.
fn turned(operator: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match operator {
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::Spaceship => operator.clone(),
        _ => return None,
    })
}

fn push(
    collector: &mut Collector,
    block: usize,
    clause: Clause,
    required: bool,
    condition: &Expr,
    pair: Option<(Named, Role)>,
) {
    let Some((named, role)) = pair else { return };
    let column: ColumnUse = collector.column(block, &named);
    let predicate = Predicate { column, role, clause, required, text: condition.to_string() };
    if let Some(block) = collector.blocks.get_mut(block) {
        block.predicates.push(predicate);
    }
}
