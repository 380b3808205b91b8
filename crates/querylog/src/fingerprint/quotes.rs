//! Quoted strings become `?`.

use super::bytes::{has, rewrite, tail};

/// By the rules of pt-query-digest 3.4 and later.
pub(super) fn replace(text: &[u8]) -> Vec<u8> {
    if memchr::memchr3(b'\'', b'"', b'\\', text).is_none() {
        return text.to_vec();
    }
    let text = drop_escaped(text, b"\\'");
    let text = drop_escaped(&text, b"\\\"");
    let text = drop_all(&text, |text, at| has(text, at, b"\\\\"));
    let text = drop_all(&text, |text, at| has(text, at, b"\\'"));
    let text = drop_all(&text, |text, at| has(text, at, b"\\\""));
    let text = replace_quoted(&text, b'"');
    replace_quoted(&text, b'\'')
}

/// By the rules up to 3.3.
pub(crate) fn replace_old(text: &[u8]) -> Vec<u8> {
    if memchr::memchr3(b'\'', b'"', b'\\', text).is_none() {
        return text.to_vec();
    }
    let text = drop_all(text, |text, at| has(text, at, b"\\\"") || has(text, at, b"\\'"));
    let text = replace_plain(&text, b'"');
    replace_plain(&text, b'\'')
}

/// `([^\\])(\\')`: an escaped quote goes when the byte before it is no backslash and was not part of the one before.
fn drop_escaped(text: &[u8], escaped: &[u8; 2]) -> Vec<u8> {
    rewrite(text, |at, out| {
        let before = text.get(at).filter(|b| **b != b'\\')?;
        has(text, at + 1, escaped).then(|| {
            out.push(*before);
            at + 3
        })
    })
}

/// Takes away every pair of bytes that `is` accepts.
fn drop_all(text: &[u8], is: impl Fn(&[u8], usize) -> bool) -> Vec<u8> {
    rewrite(text, |at, _| is(text, at).then_some(at + 2))
}

/// `([^\\])(".*?[^\\]?")`: needs a byte before the quote, so that one at the very start stays.
fn replace_quoted(text: &[u8], quote: u8) -> Vec<u8> {
    rewrite(text, |at, out| {
        let before = text.get(at).filter(|b| **b != b'\\')?;
        if text.get(at + 1) != Some(&quote) {
            return None;
        }
        let end = quoted_end(text, at + 2, quote)?;
        out.extend([*before, b'?']);
        Some(end)
    })
}

/// Behind the quote that ends what starts at `start`. Of two quotes in a row the second one ends it.
fn quoted_end(text: &[u8], start: usize, quote: u8) -> Option<usize> {
    let first = start + memchr::memchr(quote, tail(text, start))?;
    let ends_there = first > start && text.get(first - 1).is_some_and(|b| *b != b'\\');
    let doubled = !ends_there && text.get(first + 1) == Some(&quote);
    Some(if doubled { first + 2 } else { first + 1 })
}

/// `".*?"`.
fn replace_plain(text: &[u8], quote: u8) -> Vec<u8> {
    rewrite(text, |at, out| {
        if text.get(at) != Some(&quote) {
            return None;
        }
        let length = memchr::memchr(quote, tail(text, at + 1))?;
        out.push(b'?');
        Some(at + 1 + length + 1)
    })
}
