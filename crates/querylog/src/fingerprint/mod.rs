//! The text that stands for a class of queries: literals, lists and spacing abstracted away.
//!
//! The rules are those of pt-query-digest's `QueryRewriter::fingerprint`, byte for byte and in its order, so that a class
//! has the same name there and here. They are rules about text, not about SQL; where they are odd they are kept odd
//! (`db1.tbl2` becomes `d?tbl?`), since one byte of difference is another class.
//!
//! Every step is one pass over the bytes. The one that looks for repeated branches of `UNION` has a budget (see `union`).

pub(crate) mod bytes;
mod comments;
mod early;
mod lists;
mod quotes;
mod union;
mod words;

use bytes::{is_space, run};
pub(crate) use comments::{strip_block, strip_line};
pub(crate) use quotes::replace_old as replace_quoted_old;

/// Whose rules a fingerprint follows. Class IDs of the two differ where literals hold backslashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// pt-query-digest 3.4 and later: a backslash escapes within quotes.
    #[default]
    Toolkit34,
    /// pt-query-digest up to 3.3, which is what Debian 12 has.
    Toolkit32,
}

/// How a fingerprint is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose rules.
    pub rules: Rules,
    /// Leaves digits within words alone: `users_2009` stays. `--preserve-embedded-numbers` of pt-query-digest.
    pub preserve_embedded_numbers: bool,
    /// Replaces MD5 sums that follow `.`, `_` or `-`. `--match-md5-checksums` of pt-fingerprint.
    pub match_md5: bool,
}

impl From<Rules> for Options {
    fn from(rules: Rules) -> Options {
        Options { rules, ..Options::default() }
    }
}

/// The fingerprint of `query`.
///
/// Any bytes have one. It is not idempotent: the fingerprint of a fingerprint may differ.
pub fn fingerprint(query: &[u8], rules: Rules) -> Vec<u8> {
    fingerprint_with(query, &rules.into())
}

/// The fingerprint of `query`, by options.
pub fn fingerprint_with(query: &[u8], options: &Options) -> Vec<u8> {
    if let Some(whole) = early::whole(query) {
        return whole;
    }
    let text = comments::strip_block(early::first_row(query));
    let text = comments::strip_line(&text);
    if let Some(whole) = early::use_database(&text) {
        return whole;
    }
    let text = match options.rules {
        Rules::Toolkit34 => quotes::replace(&text),
        Rules::Toolkit32 => quotes::replace_old(&text),
    };
    let text = words::replace_booleans(&text);
    let text = if options.match_md5 { words::replace_md5(&text) } else { text };
    let text = words::replace_numbers(&text, options.preserve_embedded_numbers);
    let text = words::absorb_prefixes(&text, options.match_md5);
    let text = normalize_space(&text);
    let text = words::replace_null(&text);
    let text = lists::collapse(&text);
    let text = union::collapse(text);
    let text = lists::collapse_limit(&text);
    lists::strip_ascending(text)
}

/// Leading space and one line feed at the end go, runs of blanks become one, letters small. A vertical tab stays.
fn normalize_space(text: &[u8]) -> Vec<u8> {
    let start = run(text, 0, is_space);
    let text = bytes::tail(text, start);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut out = Vec::with_capacity(text.len());
    let mut in_space = false;
    for byte in text {
        let space = matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | b'\x0c');
        if !space {
            out.push(byte.to_ascii_lowercase());
        } else if !in_space {
            out.push(b' ');
        }
        in_space = space;
    }
    out
}

#[cfg(test)]
mod tests;
