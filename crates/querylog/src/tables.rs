//! The tables that a query names, as pt-query-digest finds them: by the words in front of them, without a grammar.

mod references;

use serde::{Deserialize, Serialize};

use crate::fingerprint::bytes::{
    Spaces, find_word, has_word, is_boundary, is_space, line_end, rewrite, run, skip_space, tail,
};
use crate::fingerprint::replace_quoted_old;

/// A table that a query names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Table {
    /// The database that the query names, or the one that was in use.
    pub database: Option<String>,
    /// Name without its quotes.
    pub name: String,
}

/// The tables of `query`, each once, in the order in which they appear. `database` is the one in use.
pub fn tables(query: &[u8], database: Option<&str>) -> Vec<Table> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for reference in names(query) {
        // A table by the name of 0 is none, as it is there.
        if reference != b"0" && !found.contains(&reference) {
            found.push(reference);
        }
    }
    found.iter().filter_map(|reference| split(reference, database)).collect()
}

/// Splits `database.table` at its first point. A point within quotes counts as one, as it does there.
fn split(reference: &[u8], database: Option<&str>) -> Option<Table> {
    let mut parts = reference.split(|b| *b == b'.');
    let first = parts.next()?;
    let (named, name) = match parts.next() {
        Some(second) if !second.is_empty() && second != b"0" => (unquoted(first), second),
        _ => (String::new(), first),
    };
    let in_use = || database.map(str::to_owned);
    let database = if matches!(named.as_str(), "" | "0") { in_use() } else { Some(named) };
    Some(Table { database, name: unquoted(name) })
}

fn unquoted(name: &[u8]) -> String {
    let name = name.strip_prefix(b"`").unwrap_or(name);
    let name = name.strip_suffix(b"`").unwrap_or(name);
    String::from_utf8_lossy(name).replace("``", "`")
}

/// Statements that define data.
const DEFINITIONS: [&[u8]; 5] = [b"create", b"alter", b"truncate", b"drop", b"rename"];

/// The statement of definition that `query` starts with, as `query` spells it.
pub(crate) fn definition(query: &[u8]) -> Option<&[u8]> {
    let start = skip_space(query, 0);
    let word = DEFINITIONS.into_iter().find(|word| has_word(query, start, word))?;
    let end = start + word.len();
    is_boundary(query, end).then(|| query.get(start..end)).flatten()
}

/// References to tables as they are written.
pub(crate) fn names(query: &[u8]) -> Vec<Vec<u8>> {
    if query == b"0" {
        return Vec::new();
    }
    match definition(query) {
        Some(definition) => defined(query, definition),
        None => manipulated(query),
    }
}

/// The table of a statement that defines one, or those of the query that fills it.
fn defined(query: &[u8], definition: &[u8]) -> Vec<Vec<u8>> {
    let query = without_existence(query);
    let verb = definition.to_ascii_lowercase();
    let of_database = [verb.as_slice(), b" database"].concat();
    if find_word(&query, 0, &of_database).any(|at| is_boundary(&query, at + of_database.len())) {
        return Vec::new();
    }
    if verb == b"create" && has_select_behind(&query, &verb) {
        let select = find_word(&query, 0, b"select")
            .find(|at| is_boundary(&query, *at) && is_boundary(&query, at + 6));
        return select
            .map(|at| tail(&query, at))
            .filter(|select| select.len() > 6)
            .map(names)
            .unwrap_or_default();
    }
    named_after(&query, &[b"table"]).into_iter().collect()
}

/// Whether `SELECT` follows `verb` on the same line.
fn has_select_behind(query: &[u8], verb: &[u8]) -> bool {
    let mut selects =
        find_word(query, 0, b"select").filter(|at| is_boundary(query, *at) && is_boundary(query, at + 6));
    let mut select = selects.next();
    let mut line = 0;
    find_word(query, 0, verb).filter(|at| is_boundary(query, at + verb.len())).any(|at| {
        let from = at + verb.len() + 1;
        line = if from > line { line_end(query, from - 1) } else { line };
        while select.is_some_and(|select| select < from) {
            select = selects.next();
        }
        select.is_some_and(|select| select < line)
    })
}

/// The first ` IF EXISTS` or `IF NOT EXISTS` goes.
fn without_existence(query: &[u8]) -> Vec<u8> {
    let found = find_word(query, 0, b"if").find_map(|at| Some((at, existence_end(query, at)?)));
    match found {
        Some((start, end)) => [query.get(..start).unwrap_or_default(), tail(query, end)].concat(),
        None => query.to_vec(),
    }
}

/// Behind `IF [NOT] EXISTS` at `at`.
pub(crate) fn existence_end(query: &[u8], at: usize) -> Option<usize> {
    let after = |at: usize, word: &[u8]| {
        let next = skip_space(query, at);
        (next > at && has_word(query, next, word)).then_some(next + word.len())
    };
    if !has_word(query, at, b"if") {
        return None;
    }
    let not = after(at + 2, b"not");
    not.and_then(|not| after(not, b"exists")).or_else(|| after(at + 2, b"exists"))
}

/// The name that follows the first of these words that a name follows.
pub(crate) fn named_after(query: &[u8], words: &[&[u8]]) -> Option<Vec<u8>> {
    (0..query.len()).find_map(|at| {
        let word = words.iter().find(|word| has_word(query, at, word))?;
        let start = skip_space(query, at + word.len());
        let end = if start > at + word.len() { references::identifier_end(query, start) } else { None };
        end.and_then(|end| query.get(start..end)).map(<[u8]>::to_vec)
    })
}

/// The tables of a statement that reads or writes rows.
fn manipulated(query: &[u8]) -> Vec<Vec<u8>> {
    let query = without_modifiers(query);
    let query = unlocked(query);
    let query = replace_quoted_old(&query);
    let query = with_into(query);
    let start = skip_space(&query, 0);
    if has_word(&query, start, b"load data") {
        return loaded(&query).map(<[u8]>::to_vec).into_iter().collect();
    }
    references::all(&query)
}

/// The table that `LOAD DATA` fills.
pub(crate) fn loaded(query: &[u8]) -> Option<&[u8]> {
    find_word(query, 0, b"into table").find_map(|at| {
        let start = skip_space(query, at + 10);
        let end = run(query, start, |b| !is_space(b));
        (start > at + 10 && end > start).then(|| query.get(start..end)).flatten()
    })
}

fn without_modifiers(query: &[u8]) -> Vec<u8> {
    rewrite(query, |at, out| {
        let word = match query.get(at)?.to_ascii_lowercase() {
            b'l' => b"low_priority".as_slice(),
            b'i' => b"ignore",
            b's' => b"straight_join",
            b'd' => b"delayed",
            _ => return None,
        };
        let end = at + word.len();
        let next = skip_space(query, end);
        (has_word(query, at, word) && next > end).then(|| {
            out.push(b' ');
            next
        })
    })
}

/// `LOCK TABLES a READ, b WRITE` becomes `FROM a, b`.
fn unlocked(query: Vec<u8>) -> Vec<u8> {
    let start = skip_space(&query, 0);
    let list = skip_space(&query, start + 11);
    if !has_word(&query, start, b"lock tables") || list == start + 11 {
        return query;
    }
    let list = tail(&query, list);
    let mut spaces = Spaces::default();
    let without = rewrite(list, |at, _| {
        let word = spaces.end(list, at)?;
        let end = if has_word(list, word, b"read") {
            let local = skip_space(list, word + 4);
            if local > word + 4 && has_word(list, local, b"local") { local + 5 } else { word + 4 }
        } else if has_word(list, word, b"write") {
            word + 5
        } else {
            return None;
        };
        Some(skip_space(list, end))
    });
    [b"FROM ".as_slice(), &without].concat()
}

/// `INSERT t` and `REPLACE t` become `INSERT INTO t`.
fn with_into(query: Vec<u8>) -> Vec<u8> {
    let start = skip_space(&query, 0);
    let Some(verb) =
        [b"insert".as_slice(), b"replace"].into_iter().find(|verb| has_word(&query, start, verb))
    else {
        return query;
    };
    let end = start + verb.len();
    let next = skip_space(&query, end);
    if next == end || has_word(&query, next, b"into") {
        return query;
    }
    [query.get(start..end).unwrap_or_default(), b" INTO ", tail(&query, next)].concat()
}
