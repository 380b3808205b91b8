//! `query.found-rows`: `SQL_CALC_FOUND_ROWS` has every row found, where LIMIT would end the reading.

use sqlparser::ast;

use super::{Case, FEW_ROWS, Query};
use crate::wording::number;
use crate::{Advice, Block, Rewrite, Statement};

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    case.read().filter_map(|(query, statement)| of_query(case, query, statement)).collect()
}

fn of_query(case: &Case, query: &Query, statement: &Statement) -> Option<Advice> {
    let block = statement.outer().filter(|block| block.found_rows)?;
    let limit = block.limit?;
    let largest = statement.places().filter_map(|place| statement.definition(case.schema, place)?.rows).max();
    let examined = query.figures.rows_examined;
    // Without a log and without a schema nobody knows whether there are many rows.
    let many = examined.map(|rows| rows >= FEW_ROWS as f64).or(largest.map(|rows| rows >= FEW_ROWS))?;
    if !many {
        return None;
    }
    let mut why = vec![format!(
        "LIMIT {limit} could end the reading early; SQL_CALC_FOUND_ROWS has the server find every row of the result first"
    )];
    why.extend(examined.map(|rows| format!("the log counts {} rows examined each time", number(rows))));
    why.push(
        "MySQL has declared it obsolete (8.0.17); ProxySQL pins connections to the session that uses it"
            .to_owned(),
    );
    Some(Advice {
        id: "query.found-rows".to_owned(),
        title: "count the pages apart, or not at all, instead of by SQL_CALC_FOUND_ROWS".to_owned(),
        why,
        classes: vec![query.class.clone()],
        rewrites: vec![rewrite(query, statement, block)?],
        cautions: vec![
            "WordPress sends it from WP_Query: pass 'no_found_rows' => true wherever no pages are numbered (widgets, feeds, related posts)".to_owned(),
            "where all rows must be sorted anyway, because no index gives the order, it costs little more: then an index comes first".to_owned(),
        ],
        ..Advice::default()
    })
}

fn rewrite(query: &Query, statement: &Statement, block: &Block) -> Option<Rewrite> {
    let ast::Statement::Query(page) = &statement.ast else { return None };
    let mut page = page.as_ref().clone();
    let ast::SetExpr::Select(select) = page.body.as_mut() else { return None };
    if let Some(modifiers) = &mut select.select_modifiers {
        modifiers.sql_calc_found_rows = false;
    }
    let mut counting = select.as_ref().clone();
    let counted = match (&select.group_by, block.distinct, select.having.is_some()) {
        (_, true, _) | (_, _, true) => None,
        (ast::GroupByExpr::Expressions(keys, _), ..) if keys.is_empty() => Some("COUNT(*)".to_owned()),
        (ast::GroupByExpr::Expressions(keys, _), ..) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Some(format!("COUNT(DISTINCT {})", keys.join(", ")))
        }
        _ => None,
    };
    let count = match counted {
        Some(count) => {
            counting.group_by = ast::GroupByExpr::Expressions(vec![], vec![]);
            let ident = ast::Ident::new(count);
            counting.projection = vec![ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(ident))];
            counting.to_string()
        }
        None => format!("SELECT COUNT(*) FROM ({counting}) AS found"),
    };
    Some(Rewrite {
        class: query.class.clone(),
        before: query.sql.clone(),
        after: page.to_string(),
        differs: vec![format!(
            "FOUND_ROWS() no longer gives how many there are; where that is shown, send (and perhaps keep for a while): {count}"
        )],
    })
}
