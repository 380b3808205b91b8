//! `query.in-subquery`: UPDATE and DELETE by `IN (SELECT …)` on servers that run the subquery once for each row.

use sqlparser::ast;

use super::{Case, FEW_ROWS, Query};
use crate::{Advice, BlockRole, Dialect, Place, Rewrite, Role, Statement, StatementKind};

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    case.read().filter_map(|(query, statement)| of_query(case, query, statement)).collect()
}

/// Whether the server turns such a subquery into a join by itself: MySQL from 8.0.21 on, MariaDB from 11.1 on.
fn joins_by_itself(dialect: Dialect) -> bool {
    dialect.is_mysql((8, 0, 21)) || dialect.is_mariadb((11, 1, 0))
}

fn of_query(case: &Case, query: &Query, statement: &Statement) -> Option<Advice> {
    let changes = matches!(statement.kind, StatementKind::Update | StatementKind::Delete);
    let dialect = case.dialect();
    if !changes || dialect == Dialect::default() || joins_by_itself(dialect) {
        return None;
    }
    let block = statement.outer().filter(|block| block.tables.len() == 1)?;
    let place = Place { block: 0, table: 0 };
    let table = statement.definition(case.schema, place)?;
    if table.rows.is_none_or(|rows| rows < FEW_ROWS) {
        return None;
    }
    let (column, inner) = block.narrowing(place).find_map(|predicate| match predicate.role {
        Role::InBlock(inner) => Some((predicate.column.name.as_str(), inner)),
        _ => None,
    })?;
    let inner_block =
        statement.blocks.get(inner).filter(|inner| inner.role == BlockRole::In { negated: false })?;
    // An index that finds the rows without the subquery leaves few of them to check.
    let (equal, ..) = super::index::bound(block, place);
    if !equal.is_empty() || inner_block.limit.is_some() {
        return None;
    }
    let rows = crate::wording::number(table.rows.unwrap_or(0) as f64);
    Some(Advice {
        id: "query.in-subquery".to_owned(),
        title: format!("join `{}` with the subquery instead of IN", table.name),
        why: vec![format!(
            "{dialect} does not turn IN (SELECT …) of an UPDATE or DELETE into a join: the subquery runs for each of the {rows} rows of `{}`",
            table.name
        )],
        classes: vec![query.class.clone()],
        rewrites: Vec::from_iter(rewrite(query, statement, table, column)),
        ..Advice::default()
    })
}

/// `DELETE t FROM t JOIN (SELECT DISTINCT …) AS found ON …`, which both servers know.
fn rewrite(
    query: &Query,
    statement: &Statement,
    table: &crate::TableDefinition,
    column: &str,
) -> Option<Rewrite> {
    let ast::Statement::Delete(delete) = &statement.ast else { return None };
    let Some(ast::Expr::InSubquery { subquery, negated: false, .. }) = &delete.selection else { return None };
    let block = statement.outer()?;
    let alias = &block.tables.first()?.alias;
    let inner = statement.blocks.get(1).and_then(|inner| inner.select.items.first())?;
    let value = inner.alias.clone().or_else(|| inner.column.as_ref().map(|column| column.name.clone()))?;
    let name = if *alias == table.name { String::new() } else { format!(" AS {alias}") };
    if delete.limit.is_some() || !delete.order_by.is_empty() {
        return None;
    }
    let after = format!(
        "DELETE {alias} FROM {}{name} JOIN (SELECT DISTINCT {value} FROM ({subquery}) AS listed) AS found ON found.{value} = {alias}.{column}",
        block.tables.first()?.name
    );
    Some(Rewrite { class: query.class.clone(), before: query.sql.clone(), after, differs: vec![] })
}
