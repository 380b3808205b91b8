//! Takes the literals out of a statement, so that what is shown of it tells nobody's data.
//!
//! Stricter than a fingerprint, which keeps what it does not understand: an unfinished string, the arguments of `CALL`, text in a
//! versioned comment. Here everything in quotes goes up to the end if need be, and comments go as well.

use crate::fingerprint::bytes::{has, is_word, run, tail};

/// `query` with `?` for each string and number, and without comments.
#[must_use]
pub fn redact(query: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(query.len().min(1 << 16));
    let mut at = 0;
    while let Some(&byte) = query.get(at) {
        at = match byte {
            b'\'' | b'"' => {
                drop_introducer(&mut out);
                out.push(b'?');
                string_end(query, at)
            }
            b'`' => copy(query, at, quoted_name_end(query, at), &mut out),
            b'#' => run(query, at, |b| b != b'\n'),
            b'-' if has(query, at, b"--") && query.get(at + 2).is_none_or(u8::is_ascii_whitespace) => {
                run(query, at, |b| b != b'\n')
            }
            b'/' if has(query, at, b"/*") => comment_end(query, at),
            b'0'..=b'9' => {
                out.push(b'?');
                number_end(query, at)
            }
            _ if is_word(byte) || byte >= 0x80 => {
                copy(query, at, run(query, at, |b| is_word(b) || b >= 0x80 || b == b'$'), &mut out)
            }
            _ => copy(query, at, at + 1, &mut out),
        };
    }
    out
}

fn copy(query: &[u8], from: usize, to: usize, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(query.get(from..to).unwrap_or_default());
    to
}

/// The `x`, `b` or `N` in front of a string belongs to it.
fn drop_introducer(out: &mut Vec<u8>) {
    if let [before @ .., last] = out.as_slice()
        && matches!(last, b'x' | b'X' | b'b' | b'B' | b'n' | b'N')
        && !before.last().is_some_and(|b| is_word(*b))
    {
        out.pop();
    }
}

/// Behind the string that starts at `at`. A backslash escapes, and two quotes are one.
fn string_end(query: &[u8], at: usize) -> usize {
    let quote = query.get(at).copied().unwrap_or_default();
    let mut end = at + 1;
    loop {
        match memchr::memchr2(quote, b'\\', tail(query, end)) {
            None => return query.len(),
            Some(length) => end += length,
        }
        if query.get(end) == Some(&b'\\') || query.get(end + 1) == Some(&quote) {
            end += 2;
        } else {
            return end + 1;
        }
    }
}

fn quoted_name_end(query: &[u8], at: usize) -> usize {
    memchr::memchr(b'`', tail(query, at + 1)).map_or(query.len(), |length| at + 1 + length + 1)
}

fn comment_end(query: &[u8], at: usize) -> usize {
    memchr::memmem::find(tail(query, at + 2), b"*/").map_or(query.len(), |length| at + 2 + length + 2)
}

/// Behind a number, which may have a point, an exponent with a sign, or hexadecimal digits.
fn number_end(query: &[u8], at: usize) -> usize {
    let end = run(query, at, |b| is_word(b) || b == b'.');
    let exponent = matches!(query.get(end.saturating_sub(1)), Some(b'e' | b'E'));
    let signed =
        matches!(query.get(end), Some(b'+' | b'-')) && query.get(end + 1).is_some_and(u8::is_ascii_digit);
    let hexadecimal = has(query, at, b"0x");
    if exponent && signed && !hexadecimal { run(query, end + 1, |b| b.is_ascii_digit()) } else { end }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(query: &str) -> String {
        String::from_utf8_lossy(&redact(query.as_bytes())).into_owned()
    }

    #[test]
    fn strings_numbers_and_comments_go_and_names_stay() {
        assert_eq!(
            of("SELECT a1 FROM `t 2` WHERE b='it''s' AND c=\"x\\\"y\" -- z\n AND d IN (1,-2.5e-3,0xFF)"),
            "SELECT a1 FROM `t 2` WHERE b=? AND c=? \n AND d IN (?,-?,?)"
        );
        assert_eq!(of("CALL foo(1, 'secret') /* secret */ # secret"), "CALL foo(?, ?)  ");
        assert_eq!(of("SELECT x'00', N'a', _utf8'b', 'unfinished secret"), "SELECT ?, ?, _utf8?, ?");
        assert_eq!(of("a--1"), "a--?");
    }

    proptest! {
        #[test]
        fn no_literal_survives(secret in "[a-z]{8}", before in "[a-z =,(]{0,20}") {
            for query in [format!("{before}'{secret}'"), format!("{before}\"{secret}"), format!("{before} /* {secret} */"), format!("{before}'\\'{secret}'")] {
                prop_assert!(!of(&query).contains(&secret) || before.contains(&secret));
            }
        }

        #[test]
        fn any_bytes_can_be_redacted(query in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = redact(&query);
        }
    }
}
