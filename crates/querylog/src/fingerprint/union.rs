//! Equal branches of a `UNION` become one.
//!
//! The rule is `\b(select\s.*?)(?:(\sunion(?:\sall)?)\s\1)+`: a text that is followed by `union` and itself again. A regular
//! expression tries every `select` against every `union`, at a price that grows with the square of the query or worse.
//! Here each comparison is paid for from a budget of [`BUDGET_PER_BYTE`] steps a byte. A query whose branches all differ stays
//! within it up to some 25,000 branches; one that was made to be slow uses it up, and its further branches are left as they are.

use super::bytes::{has, is_boundary, is_space, tail};

/// Steps of comparing for each byte of the query. A step is one `union`, or 16 equal bytes.
const BUDGET_PER_BYTE: usize = 64;
/// Steps that every query has, however short.
const BUDGET_AT_LEAST: usize = 1 << 20;

/// One ` union select` of the text.
struct Union {
    /// Where the space before `union` is.
    at: usize,
    /// Where `select` is.
    branch: usize,
}

/// Collapses equal branches.
pub(super) fn collapse(text: Vec<u8>) -> Vec<u8> {
    if memchr::memmem::find(&text, b"union").is_none() {
        return text;
    }
    let unions = unions(&text);
    if unions.is_empty() {
        return text;
    }
    let mut budget = text.len().saturating_mul(BUDGET_PER_BYTE).saturating_add(BUDGET_AT_LEAST);
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for select in memchr::memmem::find_iter(&text, b"select") {
        let is_word = is_boundary(&text, select) && text.get(select + 6).is_some_and(|b| is_space(*b));
        if select < copied || !is_word {
            continue;
        }
        let Some(repeat) = find_repeat(&text, &unions, select, &mut budget) else { continue };
        out.extend_from_slice(text.get(copied..repeat.first_end).unwrap_or_default());
        out.extend_from_slice(b" /*repeat");
        out.extend_from_slice(repeat.separator);
        out.extend_from_slice(b"*/");
        copied = repeat.end;
    }
    out.extend_from_slice(tail(&text, copied));
    out
}

/// Every ` union select` and ` union all select`, in order.
fn unions(text: &[u8]) -> Vec<Union> {
    memchr::memmem::find_iter(text, b"union")
        .filter_map(|word| separator(text, word.checked_sub(1)?))
        .collect()
}

/// The ` union select` that starts at `at`.
fn separator(text: &[u8], at: usize) -> Option<Union> {
    let space = |at: usize| text.get(at).is_some_and(|b| is_space(*b));
    if !space(at) || !has(text, at + 1, b"union") {
        return None;
    }
    let word_end = at + 6;
    let end = if space(word_end) && has(text, word_end + 1, b"all") { word_end + 4 } else { word_end };
    (space(end) && has(text, end + 1, b"select")).then_some(Union { at, branch: end + 1 })
}

/// A text that is repeated.
struct Repeat<'a> {
    first_end: usize,
    /// The last separator, with the space before it.
    separator: &'a [u8],
    end: usize,
}

/// The shortest text from `select` on that a `union` and the same text follow.
fn find_repeat<'a>(
    text: &'a [u8],
    unions: &[Union],
    select: usize,
    budget: &mut usize,
) -> Option<Repeat<'a>> {
    let from = unions.partition_point(|union| union.at < select + 7);
    for union in unions.get(from..)? {
        *budget = budget.checked_sub(1)?;
        let first = text.get(select..union.at)?;
        if text.len() < union.branch + first.len() {
            // Later ones are farther from `select`, and nearer to the end.
            return None;
        }
        if !repeats(text, union.branch, first, budget)? {
            continue;
        }
        let mut last = Union { at: union.at, branch: union.branch };
        let mut end = union.branch + first.len();
        while let Some(next) = separator(text, end) {
            if !repeats(text, next.branch, first, budget)? {
                break;
            }
            end = next.branch + first.len();
            last = next;
        }
        let separator = text.get(last.at..last.branch - 1)?;
        return Some(Repeat { first_end: union.at, separator, end });
    }
    None
}

/// Whether `first` stands at `at`. Nothing when the budget is spent.
fn repeats(text: &[u8], at: usize, first: &[u8], budget: &mut usize) -> Option<bool> {
    let there = tail(text, at);
    if there.len() < first.len() || there.get(first.len() - 1) != first.last() {
        return Some(false);
    }
    let mut equal = 0;
    for (ours, theirs) in first.chunks(16).zip(there.chunks(16)) {
        if !theirs.starts_with(ours) {
            break;
        }
        equal += ours.len();
    }
    *budget = budget.checked_sub(equal / 16)?;
    Some(equal == first.len())
}
