//! The query over the typed table.

use sqlparser::ast::{Expr, SelectItem};

use super::Found;
use super::table::{Meaning, Typing};
use crate::Rewrite;
use crate::derived::{name, named, replaced, sql};

/// The query over a derived table.
pub(crate) struct Rewriter<'a> {
    pub(crate) found: &'a Found,
    pub(crate) typing: &'a Typing,
    pub(crate) extra: Extra,
}

/// What the new query says besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extra {
    /// Further conditions.
    pub(crate) conditions: Vec<String>,
    /// Which index it takes, as ` FORCE INDEX (name)`.
    pub(crate) hint: String,
    /// A table that is joined to the derived one.
    pub(crate) join: Option<String>,
}

impl Rewriter<'_> {
    /// The query that gives the same, and, where it counts what `LIMIT` cut off, the one without that.
    pub(crate) fn rewrites(&self, class: &str, single: bool) -> Vec<Rewrite> {
        let differs = if single || self.found.once {
            Vec::new()
        } else {
            vec!["an entity with several rows that fit came once for each, and now comes once".to_owned()]
        };
        let before = self.found.statement.text.clone();
        let counts = self.found.statement.outer().is_some_and(|block| block.found_rows);
        let rewrite = |counts: bool, differs: Vec<String>| Rewrite {
            class: class.to_owned(),
            before: before.clone(),
            after: self.query(counts),
            differs,
        };
        let mut rewrites = vec![rewrite(counts, differs.clone())];
        if counts {
            let more =
                "FOUND_ROWS() no longer says how many there are: only where no number of pages is shown"
                    .to_owned();
            rewrites.push(rewrite(false, differs.into_iter().chain([more]).collect()));
        }
        rewrites
    }

    fn query(&self, counts: bool) -> String {
        let table = &self.typing.table;
        let typed = self.found.alias();
        let items: Vec<String> = self.items();
        let mut wheres = self.extra.conditions.clone();
        wheres.extend(self.conditions());
        let having = self.found.parts.select().and_then(|select| select.having.as_ref());
        let having = having.map(|having| sql(&self.over_table(having)));
        let orders: Vec<String> = self
            .found
            .orders()
            .iter()
            .map(|order| {
                let mut order = order.clone();
                order.expr = self.over_table(&order.expr);
                sql(&order)
            })
            .collect();
        let parent =
            items.iter().chain(&wheres).chain(&orders).chain(&having).any(|text| text.contains(&self.mark()));
        let distinct = self.found.statement.outer().is_some_and(|block| block.distinct);
        let mut text = format!(
            "SELECT {}{}{} FROM {}",
            if counts { "SQL_CALC_FOUND_ROWS " } else { "" },
            if distinct { "DISTINCT " } else { "" },
            items.join(", "),
            name(&table.name)
        );
        text.push_str(&format!(" {typed}{}", self.extra.hint));
        if parent {
            let (entities, alias) = &self.found.entities;
            let renamed = if entities == alias { String::new() } else { format!(" {alias}") };
            let (key, id) = (name(self.found.pair.key), name(table.id()));
            text.push_str(&format!(
                " INNER JOIN {}{renamed} ON {alias}.{key} = {}.{id}",
                name(entities),
                typed
            ));
        }
        if let Some(join) = &self.extra.join {
            text.push_str(&format!(" {join}"));
        }
        if !wheres.is_empty() {
            text.push_str(&format!(" WHERE {}", wheres.join(" AND ")));
        }
        if let Some(having) = having {
            text.push_str(&format!(" HAVING {having}"));
        }
        if !orders.is_empty() {
            text.push_str(&format!(" ORDER BY {}", orders.join(", ")));
        }
        if let Some(limit) = &self.found.parts.query.limit_clause {
            text.push_str(&format!(" {}", limit.to_string().trim()));
        }
        text
    }

    /// What remains of the entity's own columns is written with its alias and a dot.
    fn mark(&self) -> String {
        format!("{}.", self.found.entities.1)
    }

    fn items(&self) -> Vec<String> {
        let select = self.found.parts.select();
        let items = select.map(|select| select.projection.as_slice()).unwrap_or_default();
        items
            .iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(expression) => {
                    let new = sql(&self.over_table(expression));
                    match self.found.column(expression) {
                        Some((_, column)) => format!("{new} AS {}", name(&column)),
                        None => format!("{new} AS {}", name(&expression.to_string())),
                    }
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    format!("{} AS {alias}", sql(&self.over_table(expr)))
                }
                star => star.to_string(),
            })
            .collect()
    }

    fn conditions(&self) -> Vec<String> {
        let typed = self.found.alias();
        let mut conditions = Vec::new();
        for (column, meaning) in &self.typing.meanings {
            if matches!(meaning, Meaning::Flag(_)) {
                conditions.push(format!("{typed}.{} = 1", name(column)));
            }
        }
        for row in &self.found.rows {
            let flagged = |(_, meaning): &(String, Meaning)| matches!(meaning, Meaning::Flag(alias) if *alias == row.alias);
            if !self.typing.meanings.iter().any(flagged) {
                conditions.extend(row.conditions.iter().map(|condition| sql(&self.over_table(condition))));
            }
        }
        let own = self.found.own.iter().chain(&self.found.joint).filter(|condition| !trivial(condition));
        conditions.extend(own.map(|condition| match condition {
            Expr::BinaryOp {
                op: sqlparser::ast::BinaryOperator::Or | sqlparser::ast::BinaryOperator::Xor,
                ..
            } => {
                format!("({})", sql(&self.over_table(condition)))
            }
            condition => sql(&self.over_table(condition)),
        }));
        conditions
    }

    /// The expression over columns of the typed table, as far as it has them.
    fn over_table(&self, expression: &Expr) -> Expr {
        let table = &self.typing.table;
        let typed = self.found.alias();
        let quoted = |column: &str| named(&typed, column);
        replaced(expression, &|inner| {
            let value =
                self.typing.meanings.iter().find(
                    |(_, meaning)| matches!(meaning, Meaning::Value(value) if value.expression == *inner),
                );
            if let Some((column, _)) = value {
                return Some(quoted(column));
            }
            if matches!(inner, Expr::Nested(_)) {
                return None;
            }
            let (owner, column) = self.found.column(inner)?;
            if owner == typed {
                return None;
            }
            if self.found.is_key(inner) {
                return Some(quoted(table.id()));
            }
            let own = self.typing.meanings.iter().find(|(_, meaning)| {
                matches!(meaning, Meaning::Own(own) if owner == self.found.entities.1 && own.eq_ignore_ascii_case(&column))
            });
            match own {
                Some((column, _)) => Some(quoted(column)),
                None if owner == self.found.entities.1 => Some(named(&owner, &column)),
                None => None,
            }
        })
    }
}

fn trivial(condition: &Expr) -> bool {
    let text = condition.to_string();
    text.split_once(" = ").is_some_and(|(one, other)| one == other && one.parse::<i64>().is_ok())
}
