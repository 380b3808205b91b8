//! Whether two answers are the same.

use std::collections::BTreeMap;

use super::tokens::{Kind, tokens};

/// A row as the server sent it.
pub(super) type Row = Vec<Option<Vec<u8>>>;

/// How far two numbers may differ in proportion, and still be the same: the last digits of functions of angles.
const TOLERANCE: f64 = 1e-6;

/// Whether the rows are the same, one after the other.
pub(super) fn same_sequence(one: &[Row], other: &[Row]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_row(one, other))
}

/// Whether the rows are the same in whatever order. Rows are matched by their first value where it tells them apart.
pub(super) fn same_set(one: &[Row], other: &[Row]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if let (Some(one), Some(other)) = (by_first(one), by_first(other)) {
        return one.iter().all(|(first, row)| other.get(first).is_some_and(|other| same_row(row, other)));
    }
    let sorted = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    same_sequence(&sorted(one), &sorted(other))
}

fn by_first(rows: &[Row]) -> Option<BTreeMap<&[u8], &Row>> {
    let mut map = BTreeMap::new();
    for row in rows {
        if map.insert(row.first()?.as_deref()?, row).is_some() {
            return None;
        }
    }
    Some(map)
}

fn same_row(one: &Row, other: &Row) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| same_value(one.as_deref(), other.as_deref()))
}

fn same_value(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    if one == other {
        return true;
    }
    let number = |value: Option<&[u8]>| std::str::from_utf8(value?).ok()?.parse::<f64>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE * one.abs().max(other.abs()).max(1.0),
        _ => false,
    }
}

/// What of a query's end bears on comparing its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it has an `ORDER BY` of its own.
    pub(super) ordered: bool,
    /// The query without its own `LIMIT`, where it has one.
    pub(super) unlimited: Option<String>,
}

pub(super) fn shape(statement: &str, escapes: bool) -> Shape {
    let (mut depth, mut ordered, mut limit, mut after) = (0_i32, false, None, Vec::new());
    for token in tokens(statement, escapes) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && token.kind == Kind::Name && token.is("order") => ordered = true,
            _ if depth == 0 && token.kind == Kind::Name && token.is("limit") => {
                limit = Some(token.start);
                after.clear();
            }
            text => after.push(text.to_lowercase()),
        }
    }
    let plain = |word: &String| word == "," || word == ";" || word == "offset" || word.parse::<u64>().is_ok();
    let unlimited = limit.filter(|_| after.iter().all(plain)).and_then(|at| statement.get(..at));
    Shape { ordered, unlimited: unlimited.map(|text| text.trim_end().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Row> {
        rows.iter().map(|row| row.iter().map(|cell| Some(cell.as_bytes().to_vec())).collect()).collect()
    }

    #[test]
    fn the_last_digits_of_a_distance_do_not_make_rows_differ() {
        let (one, other) =
            (rows(&[&["7", "12.3456789"], &["9", "1"]]), rows(&[&["9", "1"], &["7", "12.3456788"]]));
        assert!(same_set(&one, &other));
        assert!(!same_sequence(&one, &other));
        assert!(!same_set(&one, &rows(&[&["9", "1"], &["7", "12.4"]])));
        assert!(!same_set(&one, &rows(&[&["9", "1"]])));
    }

    #[test]
    fn rows_that_repeat_are_counted() {
        let (one, other) = (rows(&[&["a"], &["a"], &["b"]]), rows(&[&["a"], &["b"], &["b"]]));
        assert!(!same_set(&one, &other));
        assert!(same_set(&one, &rows(&[&["b"], &["a"], &["a"]])));
    }

    #[test]
    fn only_the_querys_own_limit_is_taken_away() {
        let found = shape(
            "SELECT a FROM (SELECT a FROM b ORDER BY a LIMIT 3) c WHERE d = 'LIMIT 1' LIMIT 0, 15",
            true,
        );
        assert!(!found.ordered);
        assert!(found.unlimited.is_some_and(|text| text.ends_with("d = 'LIMIT 1'")));
        let found = shape("SELECT a FROM b ORDER BY a", true);
        assert_eq!(found, Shape { ordered: true, unlimited: None });
        assert_eq!(shape("SELECT a FROM b LIMIT 5 FOR UPDATE", true).unlimited, None);
    }
}
