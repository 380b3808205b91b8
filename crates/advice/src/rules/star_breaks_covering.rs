//! `query.star-breaks-covering`: `SELECT *` has the table read, where an index holds what the conditions need.

use super::{Case, FEW_ROWS, Query, index};
use crate::schema::is_text;
use crate::wording::number;
use crate::{Advice, Index, IndexKind, Place, Statement, StatementKind};

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    case.read().filter_map(|(query, statement)| of_query(case, query, statement)).collect()
}

fn of_query(case: &Case, query: &Query, statement: &Statement) -> Option<Advice> {
    let block = statement
        .outer()
        .filter(|block| block.tables.len() == 1 && statement.kind == StatementKind::Select)?;
    let place = Place { block: 0, table: 0 };
    let table = statement.definition(case.schema, place).filter(|_| block.selects_star_of(0))?;
    // A page of rows costs a page of lookups: what matters are many rows.
    let sent = query.figures.rows_sent?;
    if sent < FEW_ROWS as f64 || block.limit.is_some_and(|limit| limit < FEW_ROWS) {
        return None;
    }
    let long: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| {
            index::width(&column.kind).is_none() && (is_text(&column.kind) || column.kind.contains("blob"))
        })
        .map(|column| column.name.as_str())
        .collect();
    let primary = table.primary_key();
    let used: Vec<&str> = block.columns_of(place).collect();
    let covers = |index: &&Index| {
        let holds = |name: &&str| {
            let part = index
                .parts
                .iter()
                .any(|part| part.column.eq_ignore_ascii_case(name) && part.prefix.is_none());
            part || primary.iter().any(|key| key.eq_ignore_ascii_case(name))
        };
        index.kind == IndexKind::Btree && index.name != "PRIMARY" && !index.hidden && used.iter().all(holds)
    };
    let covering = table.indexes.iter().find(covers).filter(|_| !used.is_empty() && !long.is_empty())?;
    Some(Advice {
        id: "query.star-breaks-covering".to_owned(),
        title: format!("name the columns of `{}` that are needed, instead of *", table.name),
        why: vec![
            format!(
                "the index `{}` holds every column that the conditions name, but * has each of the {} rows fetched from the table as well",
                covering.name,
                number(sent)
            ),
            format!("among them are the long columns {}, which lie on pages of their own", long.join(", ")),
        ],
        classes: vec![query.class.clone()],
        cautions: vec!["only who wrote the application knows which columns it uses".to_owned()],
        ..Advice::default()
    })
}
