//! `index.unused`: indexes that nothing used for long, where the server counts that.

use super::{Case, FEW_ROWS, index};
use crate::{Advice, Counted, Index, IndexKind, TableDefinition};

/// For how long a server must have counted: a week, so that weekly work has come once.
const LONG: u64 = 7 * 86_400;

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    let Some(counted) = case.schema.counted.as_ref().filter(|counted| counted.uptime_s >= LONG) else {
        return Vec::new();
    };
    let tables = case.schema.tables.values().filter(|table| table.rows.is_some_and(|rows| rows >= FEW_ROWS));
    let idle = tables.flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
    let idle = idle.filter(|(table, index)| is_idle(index) && !is_asked_for(case, table, index));
    idle.map(|(table, index)| of_index(case, counted, table, index)).collect()
}

fn is_idle(index: &Index) -> bool {
    index.used == Some(false)
        && !index.unique
        && !index.hidden
        && matches!(index.kind, IndexKind::Btree | IndexKind::Hash)
}

/// Whether one of the queries at hand binds its first column: then it is used now and then, whatever was counted.
fn is_asked_for(case: &Case, table: &TableDefinition, index: &Index) -> bool {
    let Some(first) = index.parts.first() else { return true };
    case.read().any(|(_, statement)| {
        statement.places().any(|place| {
            let same =
                statement.definition(case.schema, place).is_some_and(|known| std::ptr::eq(known, table));
            let mentioned = |name: &str| name.eq_ignore_ascii_case(&first.column);
            same && statement
                .blocks
                .get(place.block)
                .is_some_and(|block| block.columns_of(place).any(mentioned))
        })
    })
}

fn of_index(case: &Case, counted: &Counted, table: &TableDefinition, unused: &Index) -> Advice {
    let days = counted.uptime_s / 86_400;
    let size =
        unused.bytes.map(|bytes| format!(" and takes {}", crate::wording::size(bytes))).unwrap_or_default();
    let hide = index::hide(table, unused, case.dialect());
    let mut cautions = vec![
        "work that comes less often than that (a monthly report) may need it".to_owned(),
        "an index of a foreign key cannot go".to_owned(),
    ];
    if hide.is_some() {
        let drop = index::drop(table, unused).sql;
        cautions.push(format!("hiding it frees nothing: when nothing has got slower after a while, {drop}"));
    }
    Advice {
        id: "index.unused".to_owned(),
        title: format!("index `{}` of `{}` serves nothing", unused.name, table.name),
        why: vec![format!(
            "{} counts that nothing has read `{}` ({}) in the {days} days since the server started{size}; every write keeps it up",
            counted.source,
            unused.name,
            index::columns_text(&unused.parts)
        )],
        up: vec![hide.unwrap_or_else(|| index::drop(table, unused))],
        cautions,
        ..Advice::default()
    }
}
