//! `query.deep-offset`: pages far behind, for which all pages before are read.

use sqlparser::ast;

use super::{Case, Query};
use crate::wording::number;
use crate::{Advice, Block, Place, Rewrite, Statement};

/// From where on skipping costs.
const DEEP: u64 = 1000;

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    case.read().filter_map(|(query, statement)| of_query(case, query, statement)).collect()
}

fn of_query(case: &Case, query: &Query, statement: &Statement) -> Option<Advice> {
    let block = statement.outer().filter(|_| !statement.union)?;
    let (offset, limit) = (block.offset.filter(|offset| *offset >= DEEP)?, block.limit?);
    let (rewrite, title) = match keyset(case, query, statement, block) {
        Some(rewrite) => {
            (vec![rewrite], "go on from the last row of the page before, instead of skipping rows by OFFSET")
        }
        None => (vec![], "bound how far pages go, or remember where the page before ended"),
    };
    let mut why = vec![format!(
        "OFFSET {} has the server read and throw away {} rows to give {limit}, and each further page costs more",
        number(offset as f64),
        number(offset as f64)
    )];
    if block.order_by.is_empty() {
        why.push("without ORDER BY, what stands on which page is not even defined".to_owned());
    }
    Some(Advice {
        id: "query.deep-offset".to_owned(),
        title: title.to_owned(),
        why,
        classes: vec![query.class.clone()],
        rewrites: rewrite,
        cautions: vec!["nobody can jump to page N any more: forward and back by one page stay".to_owned()],
        ..Advice::default()
    })
}

/// The page after a known row: `(order columns) > (their last values)`.
fn keyset(case: &Case, query: &Query, statement: &Statement, block: &Block) -> Option<Rewrite> {
    if !block.group_by.is_empty() || block.distinct || block.order_by.is_empty() {
        return None;
    }
    let place: Place = block.order_by.first()?.column.as_ref()?.place?;
    let table = statement.definition(case.schema, place)?;
    let descending = block.order_by.first()?.descending;
    let alias = &statement.table(place)?.alias;
    let mut columns = Vec::new();
    for key in &block.order_by {
        let column = key.column.as_ref().filter(|column| column.place == Some(place))?;
        // NULL compares with nothing, and would end the pages.
        table.column(&column.name).filter(|column| !column.nullable)?;
        if key.descending != descending {
            return None;
        }
        columns.push(column.name.clone());
    }
    let primary = table.primary_key();
    let ties: Vec<&str> =
        primary.iter().copied().filter(|key| !columns.iter().any(|c| c.eq_ignore_ascii_case(key))).collect();
    if primary.is_empty() || (block.tables.len() > 1 && !ties.is_empty()) {
        return None;
    }
    columns.extend(ties.iter().map(|tie| (*tie).to_owned()));
    let name = |column: &String| format!("{alias}.{column}");
    let listed = columns.iter().map(name).collect::<Vec<_>>().join(", ");
    let values = columns
        .iter()
        .map(|column| format!(":last_{}", column.to_lowercase()))
        .collect::<Vec<_>>()
        .join(", ");
    let operator = if descending { "<" } else { ">" };
    let ast::Statement::Query(page) = &statement.ast else { return None };
    let mut page = page.as_ref().clone();
    let ast::SetExpr::Select(select) = page.body.as_mut() else { return None };
    let condition = format!("({listed}) {operator} ({values})");
    let all = match &select.selection {
        Some(known) => format!("({known}) AND {condition}"),
        None => condition,
    };
    select.selection = Some(ast::Expr::Identifier(ast::Ident::new(all)));
    page.limit_clause = None;
    page.order_by = None;
    let direction = if descending { " DESC" } else { "" };
    let order =
        columns.iter().map(|column| format!("{}{direction}", name(column))).collect::<Vec<_>>().join(", ");
    let after = format!("{page} ORDER BY {order} LIMIT {}", block.limit?);
    let mut differs = vec!["the application hands over the last row's values; rows that came or went meanwhile no longer shift pages".to_owned()];
    if !ties.is_empty() {
        differs.push(format!("rows that are equal in ORDER BY come in the order of {}", ties.join(", ")));
    }
    Some(Rewrite { class: query.class.clone(), before: query.sql.clone(), after, differs })
}
