//! `query.distance-by-formula`: a great-circle formula over text coordinates, which is computed for every row; and a table of
//! points with a spatial index, of which only those in a box around the centre are read.
//!
//! The formula stays as it was, over the same numbers, so that distances and rows are the same to the last digit: the box
//! only spares it rows that are farther away. Points lie in the plane of longitude and latitude (no SRID on MariaDB, SRID 0
//! on MySQL 8), where a box is a box; in SRID 4326 its northern edge would be a great circle.

mod area;
mod formula;
mod table;

use sqlparser::ast::{BinaryOperator, Expr, SelectItem};

use crate::derived::column;
use crate::typed_table::{self, Declined};
use crate::{Advice, Schema, Statement};
use formula::{Formula, evaluate, is_coordinate, recognise};

/// A query by distance.
#[derive(Debug, Clone)]
pub struct Nearby {
    found: typed_table::Found,
    formula: Formula,
    /// The farthest that it asks for, in the formula's unit.
    reach: f64,
    /// Keys of latitude and longitude.
    keys: [String; 2],
}

/// Coordinates that cannot be points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coordinates {
    /// Entities that have both.
    pub entities: u64,
    /// Those of them whose coordinates are no numbers, or lie outside of −90 to 90 and −180 to 180.
    pub invalid: u64,
    /// Entities that have one of them more than once.
    pub several: u64,
}

/// Recognises such a query; `Ok(None)` where a statement is something else.
///
/// # Errors
/// Where it is one that an index of points cannot serve with the same rows.
pub fn find(statement: &Statement) -> Result<Option<Nearby>, Declined> {
    let upper = statement.text.to_uppercase();
    if !["ACOS", "ASIN", "ATAN2"].iter().any(|function| upper.contains(function)) {
        return Ok(None);
    }
    let Some(found) = typed_table::rows(statement)? else { return Ok(None) };
    let Some((name, expression, formula)) = distance(&found) else { return Ok(None) };
    let Some(reach) = reach(&found, name.as_deref(), &expression) else {
        return Err(Declined("it sets no limit to the distance".to_owned()));
    };
    let select = found.parts.select();
    if select.is_some_and(|select| select.distinct.is_some())
        || statement.outer().is_some_and(|block| !block.group_by.is_empty())
    {
        return Err(Declined("it groups what it measures".to_owned()));
    }
    let key = |coordinate: &Expr| {
        let inner = match coordinate {
            Expr::Cast { expr, .. } => expr,
            Expr::BinaryOp { left, .. } => left,
            other => other,
        };
        let (alias, column) = found.column(inner)?;
        let row = found.rows.iter().find(|row| row.alias == alias)?;
        (column.eq_ignore_ascii_case("meta_value") && row.conditions.is_empty()).then(|| row.key.clone())
    };
    match (key(&formula.latitude), key(&formula.longitude)) {
        (Some(latitude), Some(longitude)) if latitude != longitude && found.rows.len() == 2 => {
            Ok(Some(Nearby { keys: [latitude, longitude], found, formula, reach }))
        }
        _ => Err(Declined("its coordinates are not two attributes, or it asks for further ones".to_owned())),
    }
}

/// The first distance that it computes: its name, where it has one, and the formula.
fn distance(found: &typed_table::Found) -> Option<(Option<String>, Expr, Formula)> {
    let items = found.parts.select()?.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => Some((Some(alias.value.clone()), expr)),
        SelectItem::UnnamedExpr(expr) => Some((None, expr)),
        _ => None,
    });
    let sides = found.joint.iter().filter_map(|condition| match condition {
        Expr::BinaryOp { left, .. } => Some((None, left.as_ref())),
        _ => None,
    });
    items.chain(sides).find_map(|(name, expression)| {
        Some((name, bare(expression).clone(), recognise(expression, &is_coordinate)?))
    })
}

fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// The least constant that the distance must stay below, in WHERE or HAVING.
fn reach(found: &typed_table::Found, name: Option<&str>, formula: &Expr) -> Option<f64> {
    let is_distance = |expression: &Expr| {
        let named = matches!(column(expression), Some((None, column)) if name.is_some_and(|name| name.eq_ignore_ascii_case(&column)));
        named || bare(expression) == formula
    };
    let constant = |expression: &Expr| evaluate(expression, &|_| None);
    let mut open: Vec<&Expr> = found.joint.iter().collect();
    open.extend(found.parts.select().and_then(|select| select.having.as_ref()));
    let mut reach: Option<f64> = None;
    while let Some(condition) = open.pop() {
        let bound = match condition {
            Expr::Nested(inner) => {
                open.push(inner);
                None
            }
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                open.extend([left.as_ref(), right.as_ref()]);
                None
            }
            Expr::BinaryOp { left, op: BinaryOperator::Lt | BinaryOperator::LtEq, right }
                if is_distance(left) =>
            {
                constant(right)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Gt | BinaryOperator::GtEq, right }
                if is_distance(right) =>
            {
                constant(left)
            }
            Expr::Between { expr, negated: false, high, .. } if is_distance(expr) => constant(high),
            _ => None,
        };
        if let Some(bound) = bound {
            reach = Some(reach.map_or(bound, |reach| reach.min(bound)));
        }
    }
    reach
}

impl Nearby {
    /// The tables that the query, and the advice, read.
    pub fn tables(&self) -> [&str; 2] {
        self.found.tables()
    }

    /// The advice, for the class of this query. Without `coordinates` it is not known whether all are valid.
    ///
    /// # Errors
    /// Where points would not give the same rows.
    pub fn advise(
        &self,
        class: &str,
        schema: &Schema,
        coordinates: Option<Coordinates>,
    ) -> Result<Advice, Declined> {
        table::build(self, class, schema, coordinates)
    }
}
