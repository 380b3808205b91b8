//! Indexes: what they serve, how large they get, the statements that make and drop them.

use crate::schema::{is_text, quoted, text};
use crate::{Block, Dialect, Index, IndexKind, IndexPart, Place, Step, TableDefinition};

/// How many characters of long text an index takes: what fits into 767 bytes of utf8mb4, as WordPress does.
const PREFIX: u64 = 191;
/// The widest column that is indexed whole, in bytes.
const WIDE: u64 = 768;
/// The longest key of InnoDB, in bytes.
const LONGEST: u64 = 3072;

/// How much of a table an index leaves to read for a block.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Served {
    /// Leading parts that equality binds.
    pub(super) bound: usize,
    /// Whether the part after these is bound by a range, or by several values.
    pub(super) ranged: bool,
    /// Rows for each lookup, where the server's statistics tell.
    pub(super) rows: Option<u64>,
    /// Whether at most one row can match.
    pub(super) single: bool,
}

/// What an index does for the conditions on a table. `equal` are columns bound by one value (or by the row of a table before).
pub(super) fn served(table: &TableDefinition, index: &Index, equal: &[&str], ranged: &[&str]) -> Served {
    if index.hidden || !matches!(index.kind, IndexKind::Btree) {
        return Served::default();
    }
    let holds = |columns: &[&str], part: &IndexPart| {
        columns.iter().any(|column| column.eq_ignore_ascii_case(&part.column))
    };
    let bound = index.parts.iter().take_while(|part| holds(equal, part)).count();
    let whole = bound == index.parts.len() && index.parts.iter().all(|part| part.prefix.is_none());
    let distinct = bound.checked_sub(1).and_then(|last| index.parts.get(last)?.distinct);
    let rows = table.rows.zip(distinct).map(|(rows, distinct)| rows / distinct.max(1));
    Served {
        bound,
        ranged: index.parts.get(bound).is_some_and(|part| holds(ranged, part)),
        rows,
        single: index.unique && whole,
    }
}

/// Bytes of a column's value at most, as an index stores it; `None` for types without a bound worth indexing whole.
pub(super) fn width(kind: &str) -> Option<u64> {
    let kind = kind.to_ascii_lowercase();
    let name: &str = kind.split(['(', ' ']).next().unwrap_or_default();
    let length: u64 =
        kind.split(['(', ')', ',']).nth(1).and_then(|number| number.trim().parse().ok()).unwrap_or(0);
    Some(match name {
        "tinyint" | "bool" | "boolean" | "year" | "enum" => 1,
        "smallint" => 2,
        "mediumint" | "date" | "time" => 3,
        "int" | "integer" | "float" | "timestamp" => 4,
        "bigint" | "double" | "real" | "datetime" | "set" => 8,
        "decimal" | "numeric" => length.max(10) / 2 + 1,
        "char" => length.max(1) * 4,
        "varchar" => length * 4 + 2,
        "binary" | "varbinary" => length + 2,
        "uuid" | "inet6" => 16,
        "bit" => length / 8 + 1,
        _ => return None,
    })
}

/// The part for a column: long text by its beginning. `None` where the type cannot be indexed by a B-tree.
pub(super) fn part(table: &TableDefinition, column: &str, descending: bool) -> Option<IndexPart> {
    let column = table.column(column)?;
    let prefix = match width(&column.kind) {
        Some(width) if width <= WIDE => None,
        Some(_) => Some(PREFIX),
        None if is_text(&column.kind) || column.kind.to_ascii_lowercase().contains("blob") => Some(PREFIX),
        None => return None,
    };
    Some(IndexPart { column: column.name.clone(), prefix, descending, distinct: None })
}

/// Whether the parts fit into a key.
pub(super) fn fits(table: &TableDefinition, parts: &[IndexPart]) -> bool {
    parts.iter().map(|part| bytes(table, part)).sum::<u64>() <= LONGEST && parts.len() <= 16
}

fn bytes(table: &TableDefinition, part: &IndexPart) -> u64 {
    let whole = table.column(&part.column).and_then(|column| width(&column.kind)).unwrap_or(WIDE);
    part.prefix.map_or(whole, |characters| characters * 4 + 2)
}

/// About how large an index gets, in bytes: rows × (key + primary key + 13 of overhead) ÷ 0.7 filled. Text is taken as a
/// quarter of its longest, and no longer than 48 bytes.
pub(super) fn disk_bytes(table: &TableDefinition, parts: &[IndexPart]) -> Option<u64> {
    let typical = |part: &IndexPart| {
        let whole = bytes(table, part);
        let is_text = table.column(&part.column).is_some_and(|column| is_text(&column.kind));
        if is_text { (whole / 4).min(48) } else { whole }
    };
    let primary: u64 = table
        .primary_key()
        .iter()
        .filter_map(|name| table.column(name).and_then(|column| width(&column.kind)))
        .sum();
    let each = parts.iter().map(typical).sum::<u64>() + primary.max(6) + 13;
    table.rows.map(|rows| rows.saturating_mul(each).saturating_mul(10) / 7)
}

/// The columns of an index as a definition writes them.
pub(super) fn columns_text(parts: &[IndexPart]) -> String {
    let part = |part: &IndexPart| {
        let prefix = part.prefix.map(|characters| format!("({characters})")).unwrap_or_default();
        let name = if part.column.starts_with('(') { part.column.clone() } else { quoted(&part.column) };
        format!("{name}{prefix}{}", if part.descending { " DESC" } else { "" })
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// A name for an index that the table does not have yet.
pub(super) fn name(table: &TableDefinition, parts: &[IndexPart]) -> String {
    let mut name = String::from("idx");
    for part in parts {
        let plain =
            part.column.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '_');
        name.push('_');
        name.extend(plain);
    }
    let name: String = name.chars().take(56).collect();
    let numbered = (2..100).map(|number| format!("{name}_{number}"));
    let free = |name: &String| table.index(name).is_none();
    std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or(name)
}

/// Adds an index, without holding writes up where the engine can.
pub(super) fn add(table: &TableDefinition, index: &Index) -> Step {
    let sql = format!("ALTER TABLE {} ADD {}{}", table.quoted(), definition(index), online(table, index));
    let undo = format!("ALTER TABLE {} DROP INDEX {}{}", table.quoted(), quoted(&index.name), quick(table));
    let what = format!("add the index {} on ({}) of {}", index.name, columns_text(&index.parts), table.name);
    Step::once(what, sql, format!("SELECT COUNT(*) > 0 {}", entries(table, &index.name))).undone_by(undo)
}

/// Drops an index.
pub(super) fn drop(table: &TableDefinition, index: &Index) -> Step {
    let sql = format!("ALTER TABLE {} DROP INDEX {}{}", table.quoted(), quoted(&index.name), quick(table));
    let undo = format!("ALTER TABLE {} ADD {}{}", table.quoted(), definition(index), online(table, index));
    let what = format!("drop the index {} on ({}) of {}", index.name, columns_text(&index.parts), table.name);
    Step::once(what, sql, format!("SELECT COUNT(*) = 0 {}", entries(table, &index.name))).undone_by(undo)
}

/// Hides an index from the optimizer, which is undone at once; `None` where the server cannot.
pub(super) fn hide(table: &TableDefinition, index: &Index, dialect: Dialect) -> Option<Step> {
    let (hidden, shown, column, value) = if dialect.is_mariadb((10, 6, 0)) {
        ("IGNORED", "NOT IGNORED", "ignored", "YES")
    } else if dialect.is_mysql((8, 0, 0)) {
        ("INVISIBLE", "VISIBLE", "is_visible", "NO")
    } else {
        return None;
    };
    let alter = |to: &str| format!("ALTER TABLE {} ALTER INDEX {} {to}", table.quoted(), quoted(&index.name));
    let probe = format!("SELECT COUNT(*) > 0 {} AND {column} = '{value}'", entries(table, &index.name));
    let what = format!("hide the index {} of {} from the optimizer", index.name, table.name);
    Some(Step::once(what, alter(hidden), probe).undone_by(alter(shown)))
}

fn definition(index: &Index) -> String {
    let kind = match (index.unique, index.kind) {
        (true, _) => "UNIQUE INDEX",
        (_, IndexKind::Fulltext) => "FULLTEXT INDEX",
        (_, IndexKind::Spatial) => "SPATIAL INDEX",
        _ => "INDEX",
    };
    format!("{kind} {} ({})", quoted(&index.name), columns_text(&index.parts))
}

fn is_innodb(table: &TableDefinition) -> bool {
    table.engine.eq_ignore_ascii_case("InnoDB")
}

fn online(table: &TableDefinition, index: &Index) -> &'static str {
    match (is_innodb(table), index.kind) {
        (true, IndexKind::Btree) => ", ALGORITHM=INPLACE, LOCK=NONE",
        // The first one of a table rebuilds it, and readers alone go on.
        (true, IndexKind::Fulltext) => ", ALGORITHM=INPLACE, LOCK=SHARED",
        _ => "",
    }
}

fn quick(table: &TableDefinition) -> &'static str {
    if is_innodb(table) { ", ALGORITHM=INPLACE, LOCK=NONE" } else { "" }
}

fn entries(table: &TableDefinition, index: &str) -> String {
    let schema = if table.schema.is_empty() { "DATABASE()".to_owned() } else { text(&table.schema) };
    format!(
        "FROM information_schema.statistics WHERE table_schema = {schema} AND table_name = {} AND index_name = {}",
        text(&table.name),
        text(index)
    )
}

/// What it costs to keep an index: disk space, and work for each write.
pub(super) fn upkeep(table: &TableDefinition, parts: &[IndexPart]) -> String {
    let size = match disk_bytes(table, parts) {
        Some(bytes) => format!("it takes about {} on disk", crate::wording::size(bytes)),
        None => "how large it gets is not known".to_owned(),
    };
    let writes = "every INSERT and DELETE, and each UPDATE of its columns, keeps it up";
    let locks =
        if is_innodb(table) { "" } else { "; adding it blocks writes, since the engine is not InnoDB" };
    format!("{size}; {writes}{locks}")
}

/// Columns of a table that conditions of a block bind: by one value, by several values, by a range; each once.
pub(super) fn bound(block: &Block, place: Place) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let (mut equal, mut several, mut ranged) = (Vec::new(), Vec::new(), Vec::new());
    for predicate in block.narrowing(place) {
        let column = predicate.column.name.as_str();
        let list = match &predicate.role {
            crate::Role::Equal(_) | crate::Role::IsNull => &mut equal,
            crate::Role::In(values) if values.len() == 1 => &mut equal,
            crate::Role::In(_) => &mut several,
            role if role.is_range() => &mut ranged,
            _ => continue,
        };
        if !list.contains(&column) {
            list.push(column);
        }
    }
    several.retain(|column| !equal.contains(column));
    ranged.retain(|column| !equal.contains(column) && !several.contains(column));
    (equal, several, ranged)
}
