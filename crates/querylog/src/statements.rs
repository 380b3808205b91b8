//! Several statements in one text, as in a dump or a script.

use crate::fingerprint::bytes::{has, run, tail};

/// The statements of `text`, which semicolons separate: those outside of quotes and comments. Empty ones are left out, space around
/// them goes.
#[must_use]
pub fn statements(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(&byte) = text.get(at) {
        at = match byte {
            b';' => {
                found.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
                start
            }
            b'\'' | b'"' | b'`' => quoted_end(text, at, byte),
            b'#' => run(text, at, |b| b != b'\n'),
            b'-' if has(text, at, b"--") && text.get(at + 2).is_none_or(u8::is_ascii_whitespace) => {
                run(text, at, |b| b != b'\n')
            }
            b'/' if has(text, at, b"/*") => memchr::memmem::find(tail(text, at + 2), b"*/")
                .map_or(text.len(), |length| at + 2 + length + 2),
            _ => at + 1,
        };
    }
    found.push(tail(text, start));
    found.iter().map(|statement| statement.trim_ascii()).filter(|statement| !statement.is_empty()).collect()
}

/// Behind the quote that ends what starts at `at`.
fn quoted_end(text: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while let Some(length) = memchr::memchr2(quote, b'\\', tail(text, end)) {
        end += length;
        if text.get(end) == Some(&quote) {
            return end + 1;
        }
        // Names in backquotes know no escapes.
        end += if quote == b'`' { 1 } else { 2 };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_quotes_and_comments_separate_nothing() {
        let text = b"select ';' ; ; insert into `a;b` values ('it\\'s;') -- ;\n; # ;\nselect 1 /* ; */";
        let want: Vec<&[u8]> =
            vec![b"select ';'", b"insert into `a;b` values ('it\\'s;') -- ;", b"# ;\nselect 1 /* ; */"];
        assert_eq!(statements(text), want);
        assert_eq!(statements(b"select 'unfinished ; \\"), [b"select 'unfinished ; \\"]);
    }
}
