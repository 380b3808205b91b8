//! References to tables behind `FROM`, `JOIN`, `UPDATE` and `INTO`.

use crate::fingerprint::bytes::{
    has, has_word, is_boundary, is_space, is_word, line_end, rewrite, run, skip_space, tail,
};

/// Words that a reference follows.
const BEFORE: [&[u8]; 4] = [b"from", b"join", b"update", b"into"];

/// All references, in order.
pub(super) fn all(query: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < query.len() {
        let Some((start, end)) = list_at(query, at) else {
            at += 1;
            continue;
        };
        let list = query.get(start..end).unwrap_or_default();
        if !(has_word(list, 0, b"select") && is_boundary(list, 6)) {
            found.extend(
                list.split(|b| *b == b',').map(plain).filter(|name| name.iter().any(u8::is_ascii_alphabetic)),
            );
        }
        at = end;
    }
    found
}

/// The list of tables whose word stands at `at`: where its first name starts and its last one ends.
fn list_at(query: &[u8], at: usize) -> Option<(usize, usize)> {
    if !is_boundary(query, at) {
        return None;
    }
    let word =
        BEFORE.into_iter().find(|word| has_word(query, at, word) && is_boundary(query, at + word.len()))?;
    if word == b"update" && is_key_update(query, at) {
        return None;
    }
    let start = skip_space(query, at + word.len());
    let start = if has(query, start, b"(") { start + 1 } else { start };
    let mut end = identifier_end(query, start)?;
    while let Some(next) = next_in_list(query, end) {
        end = next;
    }
    Some((start, end))
}

/// Whether this is the `UPDATE` of `ON DUPLICATE KEY UPDATE`.
fn is_key_update(query: &[u8], at: usize) -> bool {
    let key = at.checked_sub(4);
    key.is_some_and(|key| has_word(query, key, b"key") && query.get(key + 3).is_some_and(|b| is_space(*b)))
}

/// Behind the next name of a list, whose comma follows the name or its alias at once.
fn next_in_list(query: &[u8], end: usize) -> Option<usize> {
    let comma = if has(query, end, b",") { end } else { alias_end(query, end)? };
    identifier_end(query, skip_space(query, comma + 1))
}

/// Behind `[AS] alias`, if a comma follows.
fn alias_end(query: &[u8], at: usize) -> Option<usize> {
    let first = skip_space(query, at);
    let first_end = run(query, first, is_word);
    if first == at || first_end == first {
        return None;
    }
    let second = skip_space(query, first_end);
    let second_end = run(query, second, is_word);
    let comma = |at: usize| has(query, at, b",").then_some(at);
    let with_as = has_word(query, first, b"as") && first_end == first + 2 && second_end > second;
    with_as.then(|| comma(second_end)).flatten().or_else(|| comma(first_end))
}

/// Behind `name` or `database.name`, each with quotes or without, at `at`.
pub(super) fn identifier_end(query: &[u8], at: usize) -> Option<usize> {
    let first = part_end(query, at)?;
    let second = if has(query, first, b".") { part_end(query, first + 1) } else { None };
    Some(second.unwrap_or(first))
}

fn part_end(query: &[u8], at: usize) -> Option<usize> {
    if has(query, at, b"`") {
        let length = memchr::memchr(b'`', tail(query, at + 1))?;
        return (length > 0).then_some(at + 1 + length + 1);
    }
    let end = run(query, at, is_word);
    (end > at).then_some(end)
}

/// Takes the space before a reference and the alias behind it away.
fn plain(reference: &[u8]) -> Vec<u8> {
    let mut looked_until = 0;
    rewrite(reference, |at, out| {
        if at < looked_until {
            return None;
        }
        let start = skip_space(reference, at);
        looked_until = start;
        let end = identifier_end(reference, start)?;
        out.extend_from_slice(reference.get(start..end).unwrap_or_default());
        let alias = skip_space(reference, end);
        Some(if alias > end { line_end(reference, alias) } else { end })
    })
}
