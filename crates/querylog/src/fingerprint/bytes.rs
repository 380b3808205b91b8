//! What Perl's regular expressions say of bytes: classes, boundaries of words, words whatever their case.

/// `\w` of a byte string: ASCII letters, digits and `_`.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `\s` of a byte string: blank, tab, line feed, vertical tab, form feed, carriage return.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | b'\x0c' | b'\r')
}

/// `\b` before the byte at `at`.
pub(crate) fn is_boundary(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| text.get(i)).is_some_and(|b| is_word(*b));
    let after = text.get(at).is_some_and(|b| is_word(*b));
    before != after
}

/// Whether `word` stands at `at`, whatever the case. `word` is in lower case.
pub(crate) fn has_word(text: &[u8], at: usize, word: &[u8]) -> bool {
    tail(text, at).get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

/// Whether exactly these bytes stand at `at`.
pub(crate) fn has(text: &[u8], at: usize, what: &[u8]) -> bool {
    tail(text, at).starts_with(what)
}

/// What follows `at`; nothing when `at` lies behind the end.
pub(crate) fn tail(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// Where the run of bytes that `belongs` accepts ends, from `at` on.
pub(crate) fn run(text: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let length = tail(text, at).iter().position(|b| !belongs(*b));
    length.map_or(text.len().max(at), |length| at + length)
}

/// Where blank space ends, from `at` on.
pub(crate) fn skip_space(text: &[u8], at: usize) -> usize {
    run(text, at, is_space)
}

/// Copies `text`, and asks `step` at each byte first: it may write something else, and says where to go on.
pub(crate) fn rewrite(text: &[u8], mut step: impl FnMut(usize, &mut Vec<u8>) -> Option<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match step(at, &mut out) {
            Some(next) if next > at => at = next,
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Where `word` stands, whatever the case, from `from` on. `word` is in lower case.
pub(crate) fn find_word<'a>(text: &'a [u8], from: usize, word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = word.first().copied().unwrap_or_default();
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), tail(text, from))
        .map(move |at| from + at)
        .filter(move |at| has_word(text, *at, word))
}

/// Where the line ends that `at` is on.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    run(text, at, |b| b != b'\n')
}

/// Blank space that something may follow, each run looked at once.
#[derive(Default)]
pub(crate) struct Spaces {
    seen_until: usize,
}

impl Spaces {
    /// Where the space ends that `at` is in, unless it was asked for before: what follows has been looked at then.
    pub(crate) fn end(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if at < self.seen_until || !text.get(at).is_some_and(|b| is_space(*b)) {
            return None;
        }
        self.seen_until = skip_space(text, at);
        Some(self.seen_until)
    }
}
