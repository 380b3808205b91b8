//! Queries that are known as a whole, before anything is abstracted.

use super::bytes::{has, has_word, is_space, is_word, run, skip_space, tail};

/// The fingerprint of dumps, of the toolkit's own queries, of administrator commands and of calls.
pub(super) fn whole(query: &[u8]) -> Option<Vec<u8>> {
    if query.starts_with(b"SELECT /*!40001 SQL_NO_CACHE */ * FROM `") {
        return Some(b"mysqldump".to_vec());
    }
    if has_toolkit_mark(query) {
        return Some(b"percona-toolkit".to_vec());
    }
    if query.starts_with(b"administrator command: ") {
        return Some(query.to_vec());
    }
    call(query)
}

/// A comment such as `/*database.table:1/8*/`, by which the toolkit's tools mark their queries.
fn has_toolkit_mark(query: &[u8]) -> bool {
    memchr::memmem::find_iter(query, b"/*").any(|start| {
        let database = start + 2;
        let dot = run(query, database, is_word);
        let colon = run(query, dot + 1, is_word);
        dot > database
            && query.get(dot) == Some(&b'.')
            && colon > dot + 1
            && matches!(tail(query, colon), [b':', b'0'..=b'9', b'/', b'0'..=b'9', b'*', b'/', ..])
    })
}

/// `CALL name(`: the name goes up to the last parenthesis before the next space.
fn call(query: &[u8]) -> Option<Vec<u8>> {
    let start = skip_space(query, 0);
    if !has_word(query, start, b"call") {
        return None;
    }
    let name = skip_space(query, start + 4);
    let name_end = run(query, name, |b| !is_space(b));
    let parenthesis = query.get(name + 1..name_end)?.iter().rposition(|b| *b == b'(')? + name + 1;
    (name > start + 4).then(|| query.get(start..parenthesis).unwrap_or_default().to_ascii_lowercase())
}

/// An insert of several rows is cut behind its first; any other query is left whole.
pub(super) fn first_row(query: &[u8]) -> &[u8] {
    first_row_end(query).and_then(|end| query.get(..end)).unwrap_or(query)
}

fn first_row_end(query: &[u8]) -> Option<usize> {
    let verb = [b"insert".as_slice(), b"replace"].into_iter().find(|verb| has_word(query, 0, verb))?;
    let mut at = verb.len();
    if has_word(query, at, b" ignore") {
        at += 7;
    }
    let into = skip_space(query, at);
    if into == at || !has_word(query, into, b"into") {
        return None;
    }
    // At least one byte stands between INTO and VALUES.
    let values = (into + 5..query.len()).find_map(|at| {
        let list = has_word(query, at, b"values").then(|| skip_space(query, at + 6))?;
        has(query, list, b"(").then_some(list)
    })?;
    memchr::memchr_iter(b')', tail(query, values + 1)).map(|close| values + 1 + close).find_map(|close| {
        let comma = skip_space(query, close + 1);
        let next = skip_space(query, comma + 1);
        (has(query, comma, b",") && has(query, next, b"(")).then_some(close + 1)
    })
}

/// `USE name` and nothing more, but for one line feed, which stays.
pub(super) fn use_database(text: &[u8]) -> Option<Vec<u8>> {
    if !has_word(text, 0, b"use ") {
        return None;
    }
    let name = tail(text, 4);
    let (name, end) = name.strip_suffix(b"\n").map_or((name, "".as_bytes()), |name| (name, b"\n"));
    let named = !name.is_empty() && !name.iter().any(|b| is_space(*b));
    named.then(|| [b"use ?", end].concat())
}
