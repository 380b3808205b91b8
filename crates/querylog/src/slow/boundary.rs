//! Where records begin. The rule looks only a line back, so that it says the same wherever a reader stopped before.

use std::sync::LazyLock;

use memchr::memmem::{Finder, FinderRev};

const TIME: &[u8] = b"# Time: ";
const USER: &[u8] = b"# User@Host: ";
/// How far back the rule looks, in bytes: a line `# Time: …` is shorter.
pub(crate) const LOOK_BACK: usize = 128;
/// How far ahead it looks: to the end of the longest name of an attribute.
const LOOK_AHEAD: usize = 128;

static COMMENT_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n# "));
static LAST_COMMENT_LINE: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(b"\n# "));

/// Whether a record begins at a place, which is the begin of a line with `# `.
///
/// It does with `# Time: ` and a digit, with `# User@Host: ` unless the line before is such a time, and with any other
/// attribute that follows a statement's `;` (servers with `log-short-format` write neither time nor user).
pub(super) fn is_start(text: &[u8], place: usize) -> bool {
    let rest = text.get(place..).unwrap_or_default();
    if let Some(after) = rest.strip_prefix(TIME) {
        return after.first().is_some_and(u8::is_ascii_digit);
    }
    let before = text.get(..place).unwrap_or_default();
    if rest.starts_with(USER) {
        return !last_line(before).starts_with(TIME);
    }
    before.ends_with(b";\n") && is_attribute(rest)
}

/// The line that ends at the end of a text, if it is not longer than the rule looks back.
fn last_line(text: &[u8]) -> &[u8] {
    let Some(text) = text.strip_suffix(b"\n") else { return b"" };
    let near = text.get(text.len().saturating_sub(LOOK_BACK)..).unwrap_or_default();
    match memchr::memrchr(b'\n', near) {
        Some(end) => near.get(end + 1..).unwrap_or_default(),
        None if near.len() == text.len() => near,
        None => b"",
    }
}

/// `# Name: `, the name beginning with a capital letter: it is no command of an administrator, and no comment of a statement.
fn is_attribute(line: &[u8]) -> bool {
    let Some([first, rest @ ..]) = line.strip_prefix(b"# ") else { return false };
    let rest = rest.get(..rest.len().min(LOOK_AHEAD)).unwrap_or_default();
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    first.is_ascii_uppercase() && name > 0 && rest.get(name..).is_some_and(|rest| rest.starts_with(b": "))
}

/// The first record that begins at a place or after it.
pub(crate) fn next(text: &[u8], from: usize) -> Option<usize> {
    if from == 0 && text.starts_with(b"# ") && is_start(text, 0) {
        return Some(0);
    }
    let mut from = from.saturating_sub(1);
    loop {
        let found = COMMENT_LINE.find(text.get(from..)?)?;
        let place = from + found + 1;
        if is_start(text, place) {
            return Some(place);
        }
        from = place;
    }
}

/// The last record that begins after a place, if the text is long enough to tell.
pub(crate) fn last(text: &[u8], after: usize) -> Option<usize> {
    let mut end = text.len();
    loop {
        let found = LAST_COMMENT_LINE.rfind(text.get(after..end)?)?;
        let place = after + found + 1;
        // What cannot be told from what is there yet is not taken for a begin.
        let whole = text.len() - place >= LOOK_AHEAD;
        if whole && place > after && is_start(text, place) {
            return Some(place);
        }
        end = place;
    }
}

/// The last record of a text that ends where a record does. `begins` says that the text begins with one.
pub(super) fn last_before(text: &[u8], begins: bool) -> Option<usize> {
    let mut end = text.len();
    while let Some(found) = LAST_COMMENT_LINE.rfind(text.get(..end)?) {
        if is_start(text, found + 1) {
            return Some(found + 1);
        }
        end = found + 2;
    }
    (begins || is_start(text, 0)).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_begin_with_a_time_or_a_user_that_no_time_precedes() {
        let text = b"# Time: 240301 10:00:00\n# User@Host: a[a] @ b []\nSELECT 1;\n# User@Host: a[a] @ b []\n# Query_time: 1\nSELECT # x\n# Time: no\n 2;\n# Query_time: 2\nSELECT 3;\n# administrator command: Quit;\n";
        let mut starts = vec![0];
        let mut from = 1;
        while let Some(place) = next(text, from) {
            starts.push(place);
            from = place + 1;
        }
        let words: Vec<&[u8]> = starts.iter().map(|place| &text[*place..*place + 8]).collect();
        assert_eq!(words, [b"# Time: ", b"# User@H", b"# Query_"]);
        assert_eq!(starts[1], 59);
    }
}
