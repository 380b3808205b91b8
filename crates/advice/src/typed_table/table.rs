//! The typed table for a query.

use std::collections::BTreeMap;

use sqlparser::ast::Expr;

use super::attribute::{Attribute, Typed, ValueOf};
use super::rewrite::{Extra, Rewriter};
use super::{Declined, Found, KeyStatistics};
use crate::derived::{
    DerivedColumn, DerivedTable, Origin, fresh_name, literal, name, named, replaced, sql, word,
};
use crate::{Advice, Column, Role, Schema};

/// The longest text that a column takes: what an index holds whole.
const TEXT: usize = 191;

/// What a column of the typed table stands for in the query.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// A row of attributes fits: its alias.
    Flag(String),
    /// An expression over a row of attributes.
    Value(Box<ValueOf>),
    /// A column of the entity.
    Own(String),
}

/// The table and what its columns mean.
pub(crate) struct Typing {
    pub(crate) table: DerivedTable,
    pub(crate) meanings: Vec<(String, Meaning)>,
}

pub(super) fn build(
    found: &Found,
    class: &str,
    schema: &Schema,
    statistics: &BTreeMap<String, KeyStatistics>,
) -> Result<Advice, Declined> {
    let single = |key: &str| statistics.get(key).is_some_and(KeyStatistics::single);
    let mut typing = Typing { table: empty(found), meanings: Vec::new() };
    for row in &found.rows {
        typing.attribute(found, row, single(&row.key), statistics.get(&row.key), schema)?;
    }
    typing.own(found, schema);
    let features: Vec<String> = typing.table.columns.iter().map(|column| format!("{column:?}")).collect();
    let first = found.rows.first().map(|row| word(&row.key)).unwrap_or_default();
    typing.table.name = fresh_name(&format!("{}_typed_{first}", found.entities.0), &features);
    typing.index(found);
    let rewriter = Rewriter { found, typing: &typing, extra: Extra::default() };
    let all_single = found.rows.iter().all(|row| single(&row.key));
    let rewrites = rewriter.rewrites(class, all_single);
    Ok(Advice {
        id: "schema.attributes-as-rows".to_owned(),
        title: format!(
            "Keep what queries ask of `{}` in the typed table `{}`",
            found.attributes, typing.table.name
        ),
        why: why(found, statistics),
        classes: vec![class.to_owned()],
        up: typing.table.steps(),
        rewrites,
        cautions: cautions(&typing, found),
        trial: None,
    })
}

pub(crate) fn empty(found: &Found) -> DerivedTable {
    let (_, _, keys) = found.keys();
    DerivedTable {
        name: String::new(),
        pair: found.pair,
        entities: found.entities.0.clone(),
        attributes: found.attributes.clone(),
        keys: keys.into_iter().map(literal).collect(),
        columns: Vec::new(),
        condition: None,
        indexes: Vec::new(),
    }
}

impl Typing {
    fn attribute(
        &mut self,
        found: &Found,
        row: &Attribute,
        single: bool,
        known: Option<&KeyStatistics>,
        schema: &Schema,
    ) -> Result<(), Declined> {
        if row.ordered && !single {
            return Err(Declined(format!(
                "it is ordered by `{}`, of which an entity may have several rows",
                row.key
            )));
        }
        let as_values = single && !row.only_flag && !row.values.is_empty();
        if row.ordered && !as_values {
            return Err(Declined(format!(
                "it is ordered by `{}` and asks for more than a column holds",
                row.key
            )));
        }
        if !as_values || row.conditions.is_empty() {
            self.flag(row);
        }
        if as_values {
            for value in &row.values {
                self.value(found, row, value, known, schema)?;
            }
        }
        Ok(())
    }

    /// Whether any row of the key fits, by the query's own conditions.
    fn flag(&mut self, row: &Attribute) {
        let conditions: Vec<String> =
            row.conditions.iter().map(|condition| sql(&over_m(condition))).collect();
        let condition = (!conditions.is_empty()).then(|| conditions.join(" AND "));
        let source = Origin::Computed(self.table.has(Some(&row.literal()), condition.as_deref()));
        let said =
            row.conditions.iter().map(|condition| word(&constants(condition))).collect::<Vec<_>>().join("_");
        let column = self.fresh(&format!("is_{}", word(&format!("{}_{said}", row.key))));
        self.table.columns.push(DerivedColumn {
            name: column.clone(),
            definition: "tinyint(1) NOT NULL DEFAULT 0".into(),
            source,
        });
        self.meanings.push((column, Meaning::Flag(row.alias.clone())));
    }

    fn value(
        &mut self,
        found: &Found,
        row: &Attribute,
        value: &ValueOf,
        known: Option<&KeyStatistics>,
        schema: &Schema,
    ) -> Result<(), Declined> {
        let expression = sql(&over_m(&value.expression));
        let (definition, expression) = match &value.kind {
            Typed::Cast(kind) => (format!("{kind} NULL"), expression),
            Typed::Double => ("double NULL".to_owned(), "m.meta_value + 0".to_owned()),
            Typed::Text(length) => {
                let longest = known.map_or(0, |known| usize::try_from(known.longest).unwrap_or(usize::MAX));
                if *length >= TEXT || (row.ordered && longest > TEXT) {
                    return Err(Declined(format!("values of `{}` are too long for an index", row.key)));
                }
                let width = longest.max(length + 1).clamp(32, TEXT);
                let collate = schema
                    .table(None, &found.attributes)
                    .and_then(|table| {
                        table.columns.iter().find(|column| column.name.eq_ignore_ascii_case("meta_value"))
                    })
                    .map(collation)
                    .unwrap_or_default();
                (format!("varchar({width}){collate} NULL"), format!("LEFT({expression}, {width})"))
            }
        };
        let column = self.fresh(&word(&row.key));
        let source = Origin::Computed(self.table.first(&row.literal(), &expression));
        self.table.columns.push(DerivedColumn { name: column.clone(), definition, source });
        self.meanings.push((column, Meaning::Value(Box::new(value.clone()))));
        Ok(())
    }

    /// Columns of the entity that conditions and the order read.
    pub(crate) fn own(&mut self, found: &Found, schema: &Schema) {
        let Some(definition) = schema.table(None, &found.entities.0) else { return };
        let mut wanted: Vec<String> = Vec::new();
        let orders = found.orders();
        for expression in found.own.iter().chain(orders.iter().map(|order| &order.expr)) {
            replaced(expression, &|inner| {
                found.column(inner).filter(|(table, _)| *table == found.entities.1)?;
                None
            });
            wanted.extend(columns(found, expression));
        }
        for wanted in wanted {
            let same = |column: &&Column| column.name.eq_ignore_ascii_case(&wanted);
            let Some(column) = definition.columns.iter().find(same) else { continue };
            let known = self
                .meanings
                .iter()
                .any(|(_, meaning)| matches!(meaning, Meaning::Own(own) if *own == column.name));
            let kind = column.kind.to_lowercase();
            if known
                || found.pair.key.eq_ignore_ascii_case(&wanted)
                || ["text", "blob", "json"].iter().any(|long| kind.contains(long))
            {
                continue;
            }
            let null = if column.nullable { "NULL" } else { "NOT NULL" };
            let fresh = self.fresh(&column.name);
            self.table.columns.push(DerivedColumn {
                name: fresh.clone(),
                definition: format!("{}{} {null}", column.kind, collation(column)),
                source: Origin::Copied(column.name.clone()),
            });
            self.meanings.push((fresh, Meaning::Own(column.name.clone())));
        }
    }

    pub(crate) fn fresh(&self, wanted: &str) -> String {
        let taken =
            |name: &str| self.table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let wanted =
            if wanted.is_empty() || wanted.eq_ignore_ascii_case(self.table.id()) { "value" } else { wanted };
        if !taken(wanted) {
            return wanted.to_owned();
        }
        (2..).map(|number| format!("{wanted}_{number}")).find(|name| !taken(name)).unwrap_or_default()
    }

    /// One index in the order of roles: equality, then range or order; covering, for every column of it is in it.
    fn index(&mut self, found: &Found) {
        let rank = |name: &str, meaning: &Meaning| -> u8 {
            let text = |expression: &Expr| found.orders().iter().any(|order| order.expr == *expression);
            match meaning {
                Meaning::Flag(_) => 0,
                Meaning::Value(value) if text(&value.expression) => 3,
                Meaning::Value(value) => u8::from(!found.rows.iter().any(|row| equal(row, value))) * 2,
                Meaning::Own(own) => own_rank(found, own, name),
            }
        };
        let mut columns: Vec<(u8, &str)> =
            self.meanings.iter().map(|(name, meaning)| (rank(name, meaning), name.as_str())).collect();
        columns.sort_by_key(|(rank, _)| *rank);
        let list = columns.iter().map(|(_, column)| name(column)).collect::<Vec<_>>().join(", ");
        if !list.is_empty() {
            self.table.indexes.push(format!("KEY by_role ({list})"));
        }
    }
}

fn own_rank(found: &Found, own: &str, _name: &str) -> u8 {
    let predicates = found.statement.outer().map(|block| block.predicates.as_slice()).unwrap_or_default();
    let mut roles = predicates
        .iter()
        .filter(|predicate| predicate.column.name.eq_ignore_ascii_case(own) && predicate.required);
    match roles.next().map(|predicate| &predicate.role) {
        Some(Role::Equal(_) | Role::IsNull) => 0,
        Some(Role::In(values)) if values.len() == 1 => 0,
        Some(Role::In(_)) => 1,
        Some(_) => 2,
        None => 3,
    }
}

fn equal(row: &Attribute, value: &ValueOf) -> bool {
    row.values.contains(value)
        && row.conditions.iter().any(|condition| {
            matches!(condition, Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Eq, right }
                if **left == value.expression || **right == value.expression)
        })
}

/// The expression over the row of attributes `m`.
pub(crate) fn over_m(expression: &Expr) -> Expr {
    replaced(expression, &|inner| {
        let (_, column) = crate::derived::column(inner)?;
        (column.eq_ignore_ascii_case("meta_value") && !matches!(inner, Expr::Nested(_)))
            .then(|| named("m", "meta_value"))
    })
}

fn columns(found: &Found, expression: &Expr) -> Vec<String> {
    let names = std::cell::RefCell::new(Vec::new());
    replaced(expression, &|inner| {
        if let Some((table, column)) = found.column(inner)
            && table == found.entities.1
        {
            names.borrow_mut().push(column);
        }
        None
    });
    names.into_inner()
}

fn constants(condition: &Expr) -> String {
    let texts = std::cell::RefCell::new(Vec::new());
    replaced(condition, &|inner| {
        if matches!(inner, Expr::Value(_)) {
            texts.borrow_mut().push(inner.to_string());
        }
        None
    });
    texts.into_inner().join("_")
}

fn collation(column: &Column) -> String {
    column.collation.as_ref().map_or_else(String::new, |collation| {
        let charset = collation.split('_').next().unwrap_or("utf8mb4");
        format!(" CHARACTER SET {charset} COLLATE {collation}")
    })
}

fn why(found: &Found, statistics: &BTreeMap<String, KeyStatistics>) -> Vec<String> {
    let (attributes, _, keys) = found.keys();
    let mut why = vec![format!(
        "the query finds rows of `{}` by values in rows of `{attributes}`: no index of `{attributes}` holds both a value and \
         its entity's columns, so every row of the key is read",
        found.entities.0
    )];
    for key in keys {
        if let Some(known) = statistics.get(key) {
            why.push(format!("`{key}`: {}", known.said()));
        }
    }
    why
}

fn cautions(typing: &Typing, found: &Found) -> Vec<String> {
    let mut cautions = upkeep(&typing.table);
    let flag = |(_, meaning): &(String, Meaning)| matches!(meaning, Meaning::Flag(_));
    if typing.meanings.iter().any(flag) && found.rows.iter().any(|row| !row.conditions.is_empty()) {
        cautions.push(
            "a flag answers for these constants only; another value asked for needs a flag of its own"
                .to_owned(),
        );
    }
    if typing.meanings.iter().any(|(_, meaning)| matches!(meaning, Meaning::Value(_))) {
        cautions.push(
            "a column holds one value: of an entity that gets a second row of a key, only the first counts"
                .to_owned(),
        );
    }
    cautions
}

/// What keeping a derived table costs and takes.
pub(crate) fn upkeep(table: &DerivedTable) -> Vec<String> {
    let [delete, insert] = table.refresh("?");
    vec![
        format!(
            "each change of `{}` or `{}` costs the triggers' work; `TRUNCATE` and foreign keys that cascade call no trigger",
            table.attributes, table.entities
        ),
        "creating triggers takes the right TRIGGER, and with a binary log also SUPER or log_bin_trust_function_creators = 1"
            .to_owned(),
        format!("who may create no trigger has the application send, after each change of an entity: {delete}; {insert}"),
        "the backfill locks the entities of a chunk against changes while it runs; it is meant for the isolation level \
         REPEATABLE READ, the default"
            .to_owned(),
        format!("rows that differ from a fresh computation (must be 0): {}", table.check()),
    ]
}
