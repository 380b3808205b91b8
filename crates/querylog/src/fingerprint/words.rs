//! Words and numbers that become `?`.

use super::bytes::{has, has_word, is_boundary, rewrite, run, tail};

/// `TRUE` and `FALSE`.
pub(super) fn replace_booleans(text: &[u8]) -> Vec<u8> {
    rewrite(text, |at, out| {
        let word = match text.get(at)? {
            b't' | b'T' => b"true".as_slice(),
            b'f' | b'F' => b"false",
            _ => return None,
        };
        replace_word(text, at, word, out)
    })
}

/// `NULL`, once everything is in lower case.
pub(super) fn replace_null(text: &[u8]) -> Vec<u8> {
    rewrite(text, |at, out| {
        (text.get(at) == Some(&b'n')).then(|| replace_word(text, at, b"null", out)).flatten()
    })
}

fn replace_word(text: &[u8], at: usize, word: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let end = at + word.len();
    let alone = has_word(text, at, word) && is_boundary(text, at) && is_boundary(text, end);
    alone.then(|| {
        out.push(b'?');
        end
    })
}

/// 32 hexadecimal digits behind `.`, `_` or `-`.
pub(super) fn replace_md5(text: &[u8]) -> Vec<u8> {
    rewrite(text, |at, out| {
        let before = text.get(at).filter(|b| matches!(b, b'.' | b'_' | b'-'))?;
        let sum = text.get(at + 1..at + 33)?;
        sum.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).then(|| {
            out.extend([*before, b'?']);
            at + 33
        })
    })
}

/// Everything that looks like a number, which takes in `+`, `-` and what a hexadecimal number is made of.
pub(super) fn replace_numbers(text: &[u8], only_at_boundaries: bool) -> Vec<u8> {
    rewrite(text, |at, out| {
        let starts = text.get(at).is_some_and(|b| matches!(b, b'0'..=b'9' | b'+' | b'-'));
        if !starts || (only_at_boundaries && !is_boundary(text, at)) {
            return None;
        }
        out.push(b'?');
        Some(run(text, at + 1, |b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'.' | b'x' | b'+' | b'-')))
    })
}

/// A sign, a point or the `x` or `b` of a literal in front of `?` goes. One pass: what comes to stand there then stays.
pub(super) fn absorb_prefixes(text: &[u8], keep_points: bool) -> Vec<u8> {
    rewrite(text, |at, out| {
        let prefix = text.get(at).is_some_and(|b| match b {
            b'x' | b'b' | b'+' | b'-' => true,
            b'.' => !keep_points,
            _ => false,
        });
        (prefix && has(tail(text, at), 1, b"?")).then(|| {
            out.push(b'?');
            at + 2
        })
    })
}
