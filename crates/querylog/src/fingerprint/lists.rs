//! Lists of values, `LIMIT` and `ORDER BY … ASC`, in text that is abstracted and in lower case already.

use super::bytes::{has, has_word, is_boundary, is_space, rewrite, run, skip_space};

/// `IN (?, ?)` and `VALUES (?, ?), (?, ?)` become `in(?+)` and `values(?+)`.
pub(super) fn collapse(text: &[u8]) -> Vec<u8> {
    rewrite(text, |at, out| {
        if !matches!(text.get(at), Some(b'i' | b'v')) || !is_boundary(text, at) {
            return None;
        }
        let word = [b"values".as_slice(), b"value", b"in"].into_iter().find(|word| has(text, at, word))?;
        let end = lists_end(text, at + word.len())?;
        out.extend_from_slice(word);
        out.extend_from_slice(b"(?+)");
        Some(end)
    })
}

/// Behind the last of the lists of `?` that start at `at`.
fn lists_end(text: &[u8], at: usize) -> Option<usize> {
    let mut end = None;
    let mut from = at;
    loop {
        let open = run(text, from, |b| is_space(b) || b == b',');
        let close = run(text, open + 1, |b| is_space(b) || b == b',' || b == b'?');
        if !has(text, open, b"(") || !has(text, close, b")") {
            return end;
        }
        from = close + 1;
        end = Some(from);
    }
}

/// The first `limit ?, ?` or `limit ? offset ?` becomes `limit ?`.
pub(super) fn collapse_limit(text: &[u8]) -> Vec<u8> {
    let limit = memchr::memmem::find_iter(text, b"limit ?").find(|at| is_boundary(text, *at));
    let Some(limit) = limit.map(|at| at + 7) else { return text.to_vec() };
    let more = [b", ?".as_slice(), b",?", b" offset ?"].into_iter().find(|more| has(text, limit, more));
    let rest = text.get(limit + more.map_or(0, <[u8]>::len)..).unwrap_or_default();
    [text.get(..limit).unwrap_or_default(), rest].concat()
}

/// From the first `order by ` on, every ` asc` goes, also where it only begins a word.
pub(super) fn strip_ascending(text: Vec<u8>) -> Vec<u8> {
    let order = memchr::memmem::find_iter(&text, b"order by ").find(|at| is_boundary(&text, *at));
    let Some(from) = order.map(|at| at + 9) else { return text };
    // At least one byte stays between one that goes and the next.
    let mut earliest = from + 1;
    rewrite(&text, |at, out| {
        if at < earliest || !text.get(at).is_some_and(|b| is_space(*b)) {
            return None;
        }
        let end = skip_space(&text, at);
        if has_word(&text, end, b"asc") {
            earliest = end + 4;
            return Some(end + 3);
        }
        out.extend_from_slice(text.get(at..end).unwrap_or_default());
        Some(end)
    })
}
