//! `index.missing`: conditions and order that no index serves, and one could.

use super::index::{self, Served};
use super::{Case, FEW_ROWS, Query};
use crate::wording::number;
use crate::{
    Advice, Block, Index, IndexKind, IndexPart, JoinKind, Place, Role, Schema, Statement, StatementKind,
    TableDefinition,
};

/// Where an index leaves so few rows, another gains nothing.
const NARROW: u64 = 100;
/// A result that has so many of the rows examined needs no better index.
const USEFUL: f64 = 0.1;

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    let mut advice = Vec::new();
    for (query, statement) in case.read() {
        if !worth_it(query) {
            continue;
        }
        for place in statement.places() {
            advice.extend(of_table(case, query, statement, place));
        }
    }
    advice
}

/// Whether the log says that rows are read for nothing; without a log there is only the schema to go by.
fn worth_it(query: &Query) -> bool {
    match (query.figures.rows_examined, query.figures.rows_sent) {
        (Some(examined), _) if examined < FEW_ROWS as f64 => false,
        (Some(examined), Some(sent)) => sent < examined * USEFUL,
        _ => true,
    }
}

fn of_table(case: &Case, query: &Query, statement: &Statement, place: Place) -> Option<Advice> {
    let table = statement.definition(case.schema, place)?;
    let block = statement.blocks.get(place.block)?;
    let used = statement.table(place)?;
    if table.rows.is_some_and(|rows| rows < FEW_ROWS) || !used.hints.is_empty() || table.columns.is_empty() {
        return None;
    }
    let (equal, several, ranged) = index::bound(block, place);
    let joined = joined(block, place);
    let wish = if block.tables.len() == 1 {
        alone(table, statement, block, place, &equal, &several, &ranged)?
    } else {
        lookup(case.schema, table, statement, block, place, &equal, &joined)?
    };
    let fresh: Vec<IndexPart> = wish.parts;
    if !index::fits(table, &fresh) {
        return None;
    }
    let name = index::name(table, &fresh);
    let added = Index { name, parts: fresh, ..Index::default() };
    let replaced = extended(table, &added);
    let mut up = vec![index::add(table, &added)];
    up.extend(replaced.map(|old| index::drop(table, old)));
    let mut why = wish.why;
    why.extend(figures(query));
    let mut cautions = vec![index::upkeep(table, &added.parts)];
    if let Some(old) = replaced {
        why.push(format!("it begins as `{}` does, and takes its place", old.name));
        cautions.push(format!(
            "a query that names `{}` in FORCE INDEX or USE INDEX fails once it is gone",
            old.name
        ));
    }
    cautions.extend(wish.cautions);
    Some(Advice {
        id: "index.missing".to_owned(),
        title: format!("index ({}) of `{}`", index::columns_text(&added.parts), table.name),
        why,
        classes: vec![query.class.clone()],
        up,
        cautions,
        ..Advice::default()
    })
}

struct Wish {
    parts: Vec<IndexPart>,
    why: Vec<String>,
    cautions: Vec<String>,
}

/// An index for the only table of a block.
fn alone(
    table: &TableDefinition,
    statement: &Statement,
    block: &Block,
    place: Place,
    equal: &[&str],
    several: &[&str],
    ranged: &[&str],
) -> Option<Wish> {
    let ordered = order(table, block, place);
    let sorts_few = block.limit.is_some_and(|limit| limit + block.offset.unwrap_or(0) <= 1000);
    let by_order =
        ordered.as_ref().filter(|order| !order.is_empty() && sorts_few && block.group_by.is_empty());
    let after: Vec<&str> = several.iter().chain(ranged.iter().take(1)).copied().collect();
    // Order within equal values serves LIMIT best; a range or a list of values would break it.
    let (tail, in_order) = match by_order {
        Some(order) if after.is_empty() || !equal.is_empty() => (order.clone(), true),
        _ => (after.iter().map(|column| (*column, false)).collect(), false),
    };
    if equal.is_empty() && tail.is_empty() {
        return None;
    }
    let best = table
        .indexes
        .iter()
        .map(|index| (index, index::served(table, index, equal, &after)))
        .max_by_key(|(_, served)| {
            (served.single, served.bound, served.ranged, std::cmp::Reverse(served.rows.unwrap_or(u64::MAX)))
        });
    let known = best.map(|(_, served)| served).unwrap_or_default();
    let binds = if in_order { equal.len() } else { equal.len() + usize::from(!tail.is_empty()) };
    let narrow = |index: &Index| enough(&index::served(table, index, equal, &after));
    if table.indexes.iter().any(narrow) || (!in_order && known.bound + usize::from(known.ranged) >= binds) {
        return None;
    }
    if in_order && (already_ordered(table, equal, &tail) || known.bound >= equal.len() && known.ranged) {
        return None;
    }
    let mut parts = Vec::new();
    let columns = equal.iter().map(|column| (*column, false)).chain(tail.iter().copied());
    for (column, descending) in columns {
        let part = index::part(table, column, descending)?;
        // What follows the beginning of a long text is of no order.
        if part.prefix.is_some() && in_order && tail.iter().any(|(name, _)| *name == column) {
            return None;
        }
        parts.push(part);
    }
    let mut why = vec![reads_now(table, best.filter(|(_, served)| served.bound > 0 || served.ranged))];
    why.push(binding(equal, &tail, in_order, block));
    let covering = cover(table, statement, block, place, &mut parts);
    why.extend(covering.then(|| {
        "it holds every column that the query uses, so that the table itself is not read".to_owned()
    }));
    Some(Wish { parts, why, cautions: selectivity(table, equal) })
}

/// An index by which a joined table is looked up, where none begins with the column of the join or with what narrows it.
fn lookup(
    schema: &Schema,
    table: &TableDefinition,
    statement: &Statement,
    block: &Block,
    place: Place,
    equal: &[&str],
    joined: &[(&str, Place, &str)],
) -> Option<Wish> {
    let (column, other, other_column) = joined.first().copied()?;
    let lookups: Vec<&str> = joined.iter().map(|(column, ..)| *column).chain(equal.iter().copied()).collect();
    let reaches = |index: &Index| index::served(table, index, &lookups, &[]).bound > 0;
    if table.indexes.iter().any(reaches) {
        return None;
    }
    if !looked_up(schema, statement, block, place, other, other_column) {
        return None;
    }
    let columns: Vec<&str> =
        std::iter::once(column).chain(equal.iter().copied().filter(|name| *name != column)).collect();
    let parts = columns.iter().map(|name| index::part(table, name, false)).collect::<Option<Vec<_>>>()?;
    let rows = table.rows.map(|rows| format!(" all {} rows of", number(rows as f64))).unwrap_or_default();
    let alias = &statement.table(other)?.alias;
    let why = vec![format!(
        "`{}` is joined by `{column}` = `{alias}`.`{other_column}`, and no index of it begins with a column that the query binds: \
         for each row of `{alias}` the server reads{rows} `{}`, or buffers them",
        table.name, table.name
    )];
    Some(Wish { parts, why, cautions: Vec::new() })
}

/// Whether the table is the one that is looked up for rows of the other, and not read first itself.
fn looked_up(
    schema: &Schema,
    statement: &Statement,
    block: &Block,
    place: Place,
    other: Place,
    other_column: &str,
) -> bool {
    let kind = |place: Place| block.tables.get(place.table).map_or(JoinKind::First, |used| used.join);
    match (kind(place), kind(other)) {
        (JoinKind::Left | JoinKind::Straight, _) => return true,
        (JoinKind::Right, _) | (_, JoinKind::Left | JoinKind::Straight | JoinKind::Right) => return false,
        _ => {}
    }
    let (Some(own), Some(their)) = (statement.definition(schema, place), statement.definition(schema, other))
    else {
        return false;
    };
    let narrowed = |place: Place| {
        let (equal, several, ranged) = index::bound(block, place);
        equal.len() + several.len() + ranged.len() > 0
    };
    let indexed =
        their.indexes.iter().any(|index| index::served(their, index, &[other_column], &[]).bound > 0);
    match (narrowed(other), narrowed(place), indexed) {
        (true, false, _) => true,
        (false, true, _) | (_, _, true) => false,
        // Neither side has an index: that of the larger table is worth more.
        _ => (own.rows, place.table) > (their.rows, other.table),
    }
}

fn enough(served: &Served) -> bool {
    served.single || served.rows.is_some_and(|rows| rows <= NARROW)
}

/// The columns by which the table is joined to another of the same block.
fn joined(block: &Block, place: Place) -> Vec<(&str, Place, &str)> {
    let pairs = block.narrowing(place).filter_map(|predicate| match &predicate.role {
        Role::Join(other) => {
            let at = other.place.filter(|at| at.block == place.block && at.table != place.table)?;
            Some((predicate.column.name.as_str(), at, other.name.as_str()))
        }
        _ => None,
    });
    pairs.collect()
}

/// ORDER BY as columns of this table with their directions; `None` where something else stands in it.
fn order<'a>(table: &TableDefinition, block: &'a Block, place: Place) -> Option<Vec<(&'a str, bool)>> {
    let mut columns = Vec::new();
    for key in &block.order_by {
        let column = key.column.as_ref().filter(|column| column.place == Some(place))?;
        table.column(&column.name)?;
        columns.push((column.name.as_str(), key.descending));
    }
    // An index is read backwards as well: only where directions differ it must hold them.
    if columns.iter().all(|(_, descending)| *descending) {
        columns.iter_mut().for_each(|(_, descending)| *descending = false);
    } else if columns.iter().any(|(_, descending)| *descending) {
        return None;
    }
    // The primary key stands at the end of every index of InnoDB.
    let primary = table.primary_key();
    if columns.len() > 1 && columns.last().is_some_and(|(last, _)| primary == [*last]) {
        columns.pop();
    }
    Some(columns)
}

fn already_ordered(table: &TableDefinition, equal: &[&str], tail: &[(&str, bool)]) -> bool {
    table.indexes.iter().filter(|index| index.kind == IndexKind::Btree && !index.hidden).any(|index| {
        let bound = index
            .parts
            .iter()
            .take_while(|part| equal.iter().any(|name| name.eq_ignore_ascii_case(&part.column)));
        let rest = index.parts.iter().skip(bound.count());
        let in_order = rest
            .zip(tail)
            .all(|(part, (name, _))| part.column.eq_ignore_ascii_case(name) && part.prefix.is_none());
        let long_enough = index.parts.len() >= equal.len().min(1) + tail.len() || index.name == "PRIMARY";
        in_order && long_enough && index::served(table, index, equal, &[]).bound >= equal.len().min(1)
    })
}

/// Adds the other columns that the query uses where that is cheap: at most two, small ones.
fn cover(
    table: &TableDefinition,
    statement: &Statement,
    block: &Block,
    place: Place,
    parts: &mut Vec<IndexPart>,
) -> bool {
    if block.selects_star_of(place.table) || statement.kind != StatementKind::Select {
        return false;
    }
    let primary = table.primary_key();
    let has =
        |parts: &[IndexPart], name: &str| parts.iter().any(|part| part.column.eq_ignore_ascii_case(name));
    let held = |name: &str| {
        primary.iter().any(|key| key.eq_ignore_ascii_case(name))
            && table.engine.eq_ignore_ascii_case("InnoDB")
    };
    let missing: Vec<&str> =
        block.columns_of(place).filter(|name| !has(parts, name) && !held(name)).collect();
    let small = |name: &&str| {
        table.column(name).and_then(|column| index::width(&column.kind)).is_some_and(|width| width <= 32)
    };
    if parts.iter().any(|part| part.prefix.is_some()) || missing.len() > 2 || !missing.iter().all(small) {
        return false;
    }
    parts.extend(missing.iter().filter_map(|name| index::part(table, name, false)));
    true
}

/// The index that the new one begins with, and makes superfluous.
fn extended<'a>(table: &'a TableDefinition, added: &Index) -> Option<&'a Index> {
    let same = |old: &IndexPart, new: &IndexPart| {
        old.column.eq_ignore_ascii_case(&new.column)
            && old.prefix == new.prefix
            && old.descending == new.descending
    };
    table.indexes.iter().find(|old| {
        let plain = !old.unique && !old.hidden && old.kind == IndexKind::Btree;
        plain
            && old.parts.len() < added.parts.len()
            && old.parts.iter().zip(&added.parts).all(|(old, new)| same(old, new))
    })
}

fn reads_now(table: &TableDefinition, best: Option<(&Index, Served)>) -> String {
    let rows =
        table.rows.map(|rows| format!("{} rows", number(rows as f64))).unwrap_or_else(|| "rows".to_owned());
    match best {
        None => format!("no index serves the conditions on `{}`: all its {rows} are read", table.name),
        Some((index, Served { rows: Some(rows), .. })) => format!(
            "the best index of `{}`, `{}`, leaves about {} rows for each lookup",
            table.name,
            index.name,
            number(rows as f64)
        ),
        Some((index, _)) => {
            format!("the best index of `{}`, `{}`, binds fewer of the columns", table.name, index.name)
        }
    }
}

fn binding(equal: &[&str], tail: &[(&str, bool)], in_order: bool, block: &Block) -> String {
    let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let tail: Vec<&str> = tail.iter().map(|(name, _)| *name).collect();
    let mut parts = Vec::new();
    if !equal.is_empty() {
        parts.push(format!("{} by equality first", list(equal)));
    }
    if !tail.is_empty() && in_order {
        let limit = block
            .limit
            .map(|limit| format!(", so that LIMIT {limit} ends the reading early"))
            .unwrap_or_default();
        parts.push(format!("{} in the order that is asked for{limit}", list(&tail)));
    } else if !tail.is_empty() {
        parts.push(format!("{} by range", list(&tail)));
    }
    format!("the index binds {}", parts.join(", then "))
}

fn selectivity(table: &TableDefinition, equal: &[&str]) -> Vec<String> {
    match equal {
        [] => Vec::new(),
        columns => vec![format!(
            "it is worth as much as {} narrows: where one value has a large share of `{}`, it helps only for the rare values",
            columns.join(", "),
            table.name
        )],
    }
}

fn figures(query: &Query) -> Option<String> {
    let examined = query.figures.rows_examined?;
    let sent = query.figures.rows_sent.map(|sent| format!(" to send {}", number(sent))).unwrap_or_default();
    Some(format!(
        "the log counts {} rows examined each time{sent}, {} times",
        number(examined),
        query.figures.count
    ))
}
