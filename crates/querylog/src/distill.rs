//! What a query does to what, in a few words: `SELECT wp_posts wp_postmeta`.
//!
//! The words are those of pt-query-digest's `QueryRewriter::distill`.

use crate::fingerprint::bytes::{
    Spaces, find_word, has, has_word, is_boundary, is_space, line_end, rewrite, run, skip_space, tail,
};
use crate::fingerprint::{strip_block, strip_line};
use crate::tables;

/// Verb and tables of `query`.
pub fn distill(query: &[u8]) -> Vec<u8> {
    let (verbs, table) = match verbs(query) {
        Verbs::Whole(whole) => return whole,
        Verbs::Of(verbs, table) => (verbs, table),
    };
    if verbs.starts_with(b"SHOW") {
        return show_alias(verbs);
    }
    let mut names: Vec<Vec<u8>> = tables::names(query).iter().map(|name| abstracted(name)).collect();
    names.extend(table.filter(|table| table != b"0"));
    names.dedup();
    names.insert(0, verbs);
    names.join(&b' ')
}

enum Verbs {
    /// All that is said.
    Whole(Vec<u8>),
    /// Verbs, and a table to name behind the others.
    Of(Vec<u8>, Option<Vec<u8>>),
}

/// Quotes go, digits become `?`.
fn abstracted(name: &[u8]) -> Vec<u8> {
    rewrite(name, |at, out| match name.get(at)? {
        b'`' => Some(at + 1),
        digit if digit.is_ascii_digit() => {
            out.push(b'?');
            Some(run(name, at, |b| b.is_ascii_digit()))
        }
        _ => None,
    })
}

fn verbs(query: &[u8]) -> Verbs {
    if let Some(known) = known(query) {
        return known;
    }
    let text = strip_comments(query);
    let start = skip_space(&text, 0);
    if has_word(&text, start, b"show") && text.get(start + 4).is_some_and(|b| is_space(*b)) {
        return Verbs::Of(show(&text), None);
    }
    match tables::definition(&text) {
        Some(definition) => defined(&text, definition),
        None => Verbs::Of(manipulated(&text), None),
    }
}

/// Statements that are known by how they begin.
fn known(query: &[u8]) -> Option<Verbs> {
    let start = skip_space(query, 0);
    let word_after = |length: usize| {
        let word = skip_space(query, start + length);
        let end = run(query, word, |b| !is_space(b));
        (word > start + length).then(|| query.get(word..end).unwrap_or_default())
    };
    let verbs = if let Some(name) = word_after(4).filter(|_| has_word(query, start, b"call")).and_then(called)
    {
        [b"CALL ", name].concat()
    } else if has(query, start, b"use") && word_after(3).is_some() {
        b"USE".to_vec()
    } else if has_word(query, start, b"unlock tables") {
        b"UNLOCK".to_vec()
    } else if let Some(word) = word_after(2).filter(|word| has_word(query, start, b"xa") && !word.is_empty())
    {
        [b"XA_", word].concat()
    } else if has_word(query, start, b"load") {
        let table = tables::loaded(query).filter(|table| *table != b"0").unwrap_or_default();
        let name = table.iter().copied().filter(|b| *b != b'`');
        return Some(Verbs::Whole(b"LOAD DATA ".iter().copied().chain(name).collect()));
    } else {
        let command = query.strip_prefix(b"administrator command:")?;
        [b"ADMIN".as_slice(), &command.to_ascii_uppercase()].concat()
    };
    Some(Verbs::Of(verbs, None))
}

/// The name of a call: up to the last parenthesis of the word.
fn called(word: &[u8]) -> Option<&[u8]> {
    let parenthesis = word.iter().rposition(|b| *b == b'(').filter(|at| *at > 0)?;
    word.get(..parenthesis)
}

/// Comments go. What a versioned comment of `SHOW` holds takes the place of all comments that have a number.
fn strip_comments(query: &[u8]) -> Vec<u8> {
    let text = strip_line(&strip_block(query));
    let Some(qualifier) = show_qualifier(&text) else { return text };
    let mut more = true;
    rewrite(&text, |at, out| {
        if !more || !has(&text, at, b"/*") {
            return None;
        }
        let digit = run(&text, at + 2, |b| !b.is_ascii_digit());
        let from = run(&text, digit, |b| b.is_ascii_digit());
        let end = memchr::memmem::find(tail(&text, from), b"*/");
        more = digit < text.len() && end.is_some();
        end.filter(|_| more).map(|end| {
            out.extend_from_slice(qualifier);
            from + end + 2
        })
    })
}

/// What the first `/*!50000 … */` behind a line that begins with `SHOW` holds.
fn show_qualifier(text: &[u8]) -> Option<&[u8]> {
    let show =
        memchr::memmem::find_iter(text, b"SHOW").find(|at| *at == 0 || text.get(at - 1) == Some(&b'\n'))?;
    let start = memchr::memmem::find_iter(tail(text, show + 4), b"/*!")
        .map(|at| show + 4 + at + 3)
        .find(|at| text.get(*at).is_some_and(u8::is_ascii_digit))?;
    let start = run(text, start, |b| b.is_ascii_digit());
    let length = memchr::memmem::find(tail(text, start), b"*/")?;
    text.get(start..start + length)
}

/// `SHOW` and up to two words of what is shown.
fn show(text: &[u8]) -> Vec<u8> {
    let text = text.to_ascii_uppercase();
    let text = drop_spaced(&text, &[b"SESSION", b"FULL", b"STORAGE", b"ENGINE"]);
    let text = drop_counts(&text).unwrap_or(text);
    let text = cut_conditions(&text);
    let mut end = 4;
    if text.starts_with(b"SHOW") {
        for _ in 0..2 {
            let word = skip_space(&text, end);
            let word_end = run(&text, word, |b| !is_space(b));
            if word > end && word_end > word {
                end = word_end;
            }
        }
    }
    let kept = if end > 4 { text.get(..end).unwrap_or_default() } else { text.as_slice() };
    rewrite(kept, |at, out| {
        let next = skip_space(kept, at);
        (next > at).then(|| {
            out.push(b' ');
            next
        })
    })
}

/// Each of the words goes, with the space before it, for a blank.
fn drop_spaced(text: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let mut spaces = Spaces::default();
    rewrite(text, |at, out| {
        let word = spaces.end(text, at)?;
        let found =
            words.iter().find(|found| has(text, word, found) && is_boundary(text, word + found.len()))?;
        out.push(b' ');
        Some(word + found.len())
    })
}

/// ` COUNT(…)` goes.
fn drop_counts(text: &[u8]) -> Option<Vec<u8>> {
    let mut spaces = Spaces::default();
    let last = memchr::memrchr(b')', text)?;
    let without = rewrite(text, |at, _| {
        let word = spaces.end(text, at)?;
        if !has(text, word, b"COUNT") || word > last {
            return None;
        }
        let end = run(text, word + 5, |b| b != b')');
        (end > word + 5).then_some(end + 1)
    });
    Some(without)
}

/// Everything from a condition on goes.
fn cut_conditions(text: &[u8]) -> Vec<u8> {
    let words = [b"FOR".as_slice(), b"FROM", b"LIKE", b"WHERE", b"LIMIT", b"IN"];
    let mut spaces = Spaces::default();
    let starts = (0..text.len()).find(|at| {
        let Some(word) = spaces.end(text, *at) else { return false };
        words.iter().any(|found| {
            let end = word + found.len();
            has(text, word, found) && is_boundary(text, end) && end < text.len()
        })
    });
    text.get(..starts.unwrap_or(text.len())).unwrap_or_default().to_vec()
}

fn show_alias(verbs: Vec<u8>) -> Vec<u8> {
    let mut verbs = verbs;
    for (name, alias) in
        [(b"SCHEMA".as_slice(), b"DATABASE".as_slice()), (b"KEYS", b"INDEX"), (b"INDEXES", b"INDEX")]
    {
        if let Some(at) = memchr::memmem::find(&verbs, name) {
            verbs.splice(at..at + name.len(), alias.iter().copied());
        }
    }
    verbs
}

/// A statement that defines data: what it does to a database or a table, and to which.
fn defined(text: &[u8], definition: &[u8]) -> Verbs {
    let text = without_existence(text);
    let object = object(&text, definition);
    let name = tables::named_after(&text, &[b"table", b"database"]);
    let mut verbs = definition.to_ascii_uppercase();
    if let Some(object) = object {
        verbs.push(b' ');
        verbs.extend(object.to_ascii_uppercase());
    }
    Verbs::Of(verbs, name)
}

/// The last `DATABASE` or `TABLE` on the line of the verb, with something in between.
fn object(text: &[u8], verb: &[u8]) -> Option<&'static [u8]> {
    let mut looked_until = 0;
    find_word(text, 0, &verb.to_ascii_lowercase()).find_map(|at| {
        let from = at + verb.len() + 1;
        if from <= looked_until {
            // What the first verb of a line does not find, a later one does not either.
            return None;
        }
        looked_until = line_end(text, from - 1);
        let line = text.get(..looked_until).unwrap_or_default();
        (from..line.len()).rev().find_map(|at| {
            let word =
                [b"database".as_slice(), b"table"].into_iter().find(|word| has_word(line, at, word))?;
            is_boundary(text, at + word.len()).then_some(word)
        })
    })
}

/// The first ` IF [NOT] EXISTS` becomes a blank.
fn without_existence(text: &[u8]) -> Vec<u8> {
    let mut spaces = Spaces::default();
    let found = (0..text.len()).find_map(|at| {
        let word = spaces.end(text, at)?;
        Some((at, tables::existence_end(text, word)?))
    });
    match found {
        Some((start, end)) => [text.get(..start).unwrap_or_default(), b" ", tail(text, end)].concat(),
        None => text.to_vec(),
    }
}

/// Verbs that count wherever they stand.
const ANYWHERE: [&[u8]; 6] = [b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"REPLACE", b"UNION"];
/// Verbs that count as the first word.
const FIRST: [&[u8]; 8] = [b"SHOW", b"FLUSH", b"COMMIT", b"ROLLBACK", b"BEGIN", b"SET", b"START", b"LOCK"];

/// The verbs of a statement, the same one once in a row. After `SELECT` only `UNION` counts.
fn manipulated(text: &[u8]) -> Vec<u8> {
    let mut found: Vec<&[u8]> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let starts = byte.is_ascii_alphabetic() && is_boundary(text, at);
        let word = text.get(at..run(text, at, |b| b.is_ascii_alphabetic())).unwrap_or_default();
        let length = word.len().max(1);
        let whole = starts && is_boundary(text, at + word.len());
        let first: &[&[u8]] = if at == 0 { &FIRST } else { &[] };
        let verb = ANYWHERE.iter().chain(first).find(|verb| verb.eq_ignore_ascii_case(word));
        if let Some(verb) = verb.filter(|verb| whole && found.last() != Some(*verb)) {
            found.push(verb);
        }
        at += length;
    }
    if found.first() == Some(&b"SELECT".as_slice()) && found.len() > 1 {
        let union = found.contains(&b"UNION".as_slice());
        found = if union { vec![b"SELECT", b"UNION"] } else { vec![b"SELECT"] };
    }
    found.join(&b' ')
}
