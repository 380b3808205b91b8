//! Recognising queries over attributes in rows.

use std::collections::BTreeMap;

use sqlparser::ast::{BinaryOperator, Expr, GroupByExpr, OrderByExpr, OrderByKind, SelectItem, Value};

use super::KeyStatistics;
use super::attribute::{Attribute, value_of};
use super::table::build;
use crate::derived::{Pair, Parts, column};
use crate::{Advice, Schema, Statement};

/// Why a query over attributes gets no typed table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no typed table for this query: {0}")]
pub struct Declined(pub(crate) String);

/// A query that asks for entities by attributes in rows.
#[derive(Debug, Clone)]
pub struct Found {
    pub(crate) statement: Statement,
    pub(crate) parts: Parts,
    pub(crate) pair: Pair,
    /// The table of entities, and its alias.
    pub(crate) entities: (String, String),
    pub(crate) attributes: String,
    pub(crate) rows: Vec<Attribute>,
    /// Conditions on entities alone.
    pub(crate) own: Vec<Expr>,
    /// Conditions on several rows at once.
    pub(crate) joint: Vec<Expr>,
    /// Names that the query gives to what it selects.
    names: Vec<String>,
    /// Whether each entity comes once at most, however many rows fit.
    pub(crate) once: bool,
}

/// Recognises such a query; `Ok(None)` where a statement is something else.
///
/// # Errors
/// Where it is one that a typed table cannot serve with the same rows.
pub fn find(statement: &Statement) -> Result<Option<Found>, Declined> {
    let Some(mut found) = rows(statement)? else { return Ok(None) };
    if let Some(joint) = found.joint.first() {
        return Err(Declined(format!("`{joint}` compares values of several rows")));
    }
    found.grouping()?;
    found.order()?;
    found.selection()?;
    Ok(Some(found))
}

/// Recognises rows of attributes joined to entities, whatever else the query asks.
pub(crate) fn rows(statement: &Statement) -> Result<Option<Found>, Declined> {
    let Some(parts) = Parts::of(statement) else { return Ok(None) };
    let Some((pair, entities, attributes)) = tables(&parts) else { return Ok(None) };
    let aliases: Vec<String> = parts
        .tables
        .iter()
        .filter(|(table, _)| *table == attributes)
        .map(|(_, alias)| alias.clone())
        .collect();
    if parts.tables.len() != aliases.len() + 1 {
        return Err(Declined("it joins further tables".to_owned()));
    }
    let mut found = Found {
        statement: statement.clone(),
        pair,
        entities,
        attributes,
        rows: aliases
            .iter()
            .map(|alias| Attribute { alias: alias.clone(), ..Attribute::default() })
            .collect(),
        own: Vec::new(),
        joint: Vec::new(),
        once: false,
        names: names(&parts),
        parts,
    };
    found.conditions()?;
    for row in &found.rows {
        if row.key.is_empty() {
            return Err(Declined(format!("`{}` is not joined by one `meta_key`", row.alias)));
        }
    }
    Ok(Some(found))
}

fn names(parts: &Parts) -> Vec<String> {
    let items = parts.select().map(|select| select.projection.as_slice()).unwrap_or_default();
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

fn tables(parts: &Parts) -> Option<(Pair, (String, String), String)> {
    parts.tables.iter().find_map(|(entities, alias)| {
        parts.tables.iter().find_map(|(attributes, _)| {
            let pair = Pair::of(entities, attributes)?;
            Some((pair, (entities.clone(), alias.clone()), attributes.clone()))
        })
    })
}

impl Found {
    /// The table of attributes, its column that refers to entities, and the keys that are asked for.
    pub fn keys(&self) -> (&str, &str, Vec<&str>) {
        let mut keys: Vec<&str> = self.rows.iter().map(|row| row.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        (&self.attributes, self.pair.link, keys)
    }

    /// The tables that the query, and the advice, read.
    pub fn tables(&self) -> [&str; 2] {
        [&self.entities.0, &self.attributes]
    }

    /// The advice, for the class of this query. `statistics` are by key; a key without may have several rows of an entity.
    ///
    /// # Errors
    /// Where a typed table would not give the same rows.
    pub fn advise(
        &self,
        class: &str,
        schema: &Schema,
        statistics: &BTreeMap<String, KeyStatistics>,
    ) -> Result<Advice, Declined> {
        build(self, class, schema, statistics)
    }

    /// A name for the derived table that no table of the query has.
    pub(crate) fn alias(&self) -> String {
        let taken = |name: &String| {
            self.parts
                .tables
                .iter()
                .any(|(table, alias)| table.eq_ignore_ascii_case(name) || alias.eq_ignore_ascii_case(name))
        };
        let numbered = (2..).map(|number| format!("typed_{number}"));
        std::iter::once("typed".to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Whose column it is, where the query does not say.
    pub(crate) fn owner(&self, column: &str) -> Option<String> {
        let of_attributes = ["meta_key", "meta_value", self.pair.row, self.pair.link];
        let is = |name: &&str| name.eq_ignore_ascii_case(column);
        match (of_attributes.iter().any(is), self.rows.as_slice()) {
            (true, [only]) if !self.pair.key.eq_ignore_ascii_case(column) => Some(only.alias.clone()),
            (true, _) => None,
            (false, _) => Some(self.entities.1.clone()),
        }
    }

    /// The table and the name of a column.
    pub(crate) fn column(&self, expression: &Expr) -> Option<(String, String)> {
        let (table, column) = column(expression)?;
        if table.is_none() && self.is_name(&column) {
            return None;
        }
        Some((table.or_else(|| self.owner(&column))?, column))
    }

    fn is_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    fn conditions(&mut self) -> Result<(), Declined> {
        for condition in self.parts.conditions.clone() {
            let owner = |column: &str| self.owner(column);
            let Some(aliases) = Parts::aliases(&condition, &owner) else {
                return Err(Declined(format!("`{condition}` reads more than its tables")));
            };
            match aliases.as_slice() {
                [] => self.own.push(condition),
                [only] if *only == self.entities.1 => self.own.push(condition),
                [only] => self.of_attribute(&only.clone(), &condition)?,
                _ if self.joins(&condition) => {}
                _ => self.joint.push(condition),
            }
        }
        Ok(())
    }

    /// Whether it joins attributes to their entity.
    fn joins(&self, condition: &Expr) -> bool {
        let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return false };
        let refers = |side: &Expr| {
            self.column(side).is_some_and(|(table, column)| {
                let name = if table == self.entities.1 { self.pair.key } else { self.pair.link };
                column.eq_ignore_ascii_case(name)
            })
        };
        refers(left) && refers(right)
    }

    fn of_attribute(&mut self, alias: &str, condition: &Expr) -> Result<(), Declined> {
        let key = self.key(condition);
        let mentions_key = condition.to_string().to_lowercase().contains("meta_key");
        let Some(row) = self.rows.iter_mut().find(|row| row.alias == alias) else {
            return Err(Declined(format!("`{alias}` is no table of it")));
        };
        match key {
            Some(key) if row.key.is_empty() || row.key == key => row.key = key,
            _ if mentions_key => return Err(Declined(format!("`{condition}` asks for more than one key"))),
            _ => row.condition(condition),
        }
        Ok(())
    }

    fn key(&self, condition: &Expr) -> Option<String> {
        let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return None };
        let (_, column) = self.column(left)?;
        match right.as_ref() {
            Expr::Value(value) if column.eq_ignore_ascii_case("meta_key") => match &value.value {
                Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn is_key(&self, expression: &Expr) -> bool {
        self.column(expression).is_some_and(|(table, column)| {
            let name = if table == self.entities.1 { self.pair.key } else { self.pair.link };
            column.eq_ignore_ascii_case(name)
        })
    }

    fn grouping(&mut self) -> Result<(), Declined> {
        let Some(select) = self.parts.select() else { return Ok(()) };
        if select.having.is_some() {
            return Err(Declined("it has HAVING".to_owned()));
        }
        let keys = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => keys.as_slice(),
            GroupByExpr::All(_) => &[],
        };
        let by_key = keys.iter().any(|key| self.is_key(key));
        if !keys.is_empty() && !by_key {
            return Err(Declined("it groups by something else than entities".to_owned()));
        }
        self.once = by_key || select.distinct.is_some();
        Ok(())
    }

    fn order(&mut self) -> Result<(), Declined> {
        for order in self.orders() {
            if column(&order.expr).is_some_and(|(table, column)| table.is_none() && self.is_name(&column)) {
                continue;
            }
            let owner = |column: &str| self.owner(column);
            let Some(aliases) = Parts::aliases(&order.expr, &owner) else {
                return Err(Declined(format!("it is ordered by `{}`", order.expr)));
            };
            let Some(row) = self.rows.iter_mut().find(|row| aliases.contains(&row.alias)) else { continue };
            row.ordered = true;
            match value_of(&order.expr, &[]) {
                Some(value) => row.value(value),
                None => return Err(Declined(format!("it is ordered by `{}`", order.expr))),
            }
        }
        Ok(())
    }

    pub(crate) fn orders(&self) -> Vec<OrderByExpr> {
        match self.parts.query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(orders)) => orders.clone(),
            _ => Vec::new(),
        }
    }

    fn selection(&self) -> Result<(), Declined> {
        let block = self.statement.outer();
        if block.is_some_and(|block| block.select.items.iter().any(|item| item.aggregate)) {
            return Err(Declined("it aggregates rows".to_owned()));
        }
        let star =
            |block: &crate::Block| {
                block.select.star
                    || block.select.table_stars.iter().any(|table| {
                        block.tables.get(*table).is_none_or(|table| table.alias != self.entities.1)
                    })
            };
        if block.is_some_and(star) {
            return Err(Declined("it selects the attributes' rows as they are".to_owned()));
        }
        Ok(())
    }
}
