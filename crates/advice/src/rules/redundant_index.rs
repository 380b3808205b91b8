//! `index.redundant`: indexes that another begins with.

use super::{Case, index};
use crate::{Advice, Index, IndexKind, IndexPart, TableDefinition};

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    let tables = case.schema.tables.values();
    tables.flat_map(|table| of_table(case, table)).collect()
}

fn of_table(case: &Case, table: &TableDefinition) -> Vec<Advice> {
    let mut gone: Vec<&str> = Vec::new();
    let mut advice = Vec::new();
    for index in &table.indexes {
        let others = table
            .indexes
            .iter()
            .filter(|other| other.name != index.name && !gone.contains(&other.name.as_str()));
        let Some(other) = others.into_iter().find(|other| covers(other, index)) else { continue };
        if is_hinted(case, &index.name) {
            continue;
        }
        gone.push(&index.name);
        advice.push(of_pair(table, index, other));
    }
    advice
}

/// Whether `other` serves all that `index` serves, and constrains no less.
fn covers(other: &Index, index: &Index) -> bool {
    let plain = |index: &Index| index.kind == IndexKind::Btree && !index.hidden;
    if !plain(other) || !plain(index) || index.name == "PRIMARY" || index.parts.len() > other.parts.len() {
        return false;
    }
    let same_columns = index.parts.len() == other.parts.len();
    let begins = index.parts.iter().zip(&other.parts).all(|(own, their)| {
        let whole = own.prefix == their.prefix || (their.prefix.is_none() && !index.unique);
        own.column.eq_ignore_ascii_case(&their.column) && own.descending == their.descending && whole
    });
    let identical =
        same_columns && index.parts.iter().zip(&other.parts).all(|(own, their)| own.prefix == their.prefix);
    if !begins || (index.unique && !(identical && other.unique)) {
        return false;
    }
    // Of two that are the same in all, the first by name stays.
    !(identical && index.unique == other.unique && other.name != "PRIMARY" && index.name < other.name)
}

fn is_hinted(case: &Case, name: &str) -> bool {
    let mut tables =
        case.read().flat_map(|(_, statement)| statement.blocks.iter().flat_map(|block| &block.tables));
    tables.any(|table| {
        table.hints.iter().any(|hint| hint.to_ascii_lowercase().contains(&name.to_ascii_lowercase()))
    })
}

fn of_pair(table: &TableDefinition, index: &Index, other: &Index) -> Advice {
    let list = |parts: &[IndexPart]| index::columns_text(parts);
    let (own, their) = (list(&index.parts), list(&other.parts));
    let relation = if own == their { "is the same as" } else { "is the beginning of" };
    let size =
        index.bytes.map(|bytes| format!("; it takes {}", crate::wording::size(bytes))).unwrap_or_default();
    Advice {
        id: "index.redundant".to_owned(),
        title: format!("index `{}` of `{}` is superfluous", index.name, table.name),
        why: vec![
            format!(
                "`{}` ({own}) {relation} `{}` ({their}), which serves every lookup that it serves{size}",
                index.name, other.name
            ),
            "every INSERT and DELETE writes it, and it takes room in the buffer pool".to_owned(),
        ],
        up: vec![index::drop(table, index)],
        cautions: vec![
            format!("a query that names `{}` in FORCE INDEX or USE INDEX fails once it is gone", index.name),
            "queries that read the whole index get a wider one to read".to_owned(),
        ],
        ..Advice::default()
    }
}
