//! Variables of files that a shell reads, such as those of `/etc/default`.
//!
//! Only assignments that stand on a line by themselves are understood, as the programs that read such files without a
//! shell understand them (`EnvironmentFile=` of systemd.exec(5)). Where the variable occurs in any other way the edit
//! is refused.

use conf::{Document, Line, Span};

use super::attempted;
use crate::ChangeError;

/// Adds words to the value of a variable's last assignment, or assigns them in a new line at the end.
pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    name: &str,
    add_words: &[String],
) -> Result<Vec<u8>, ChangeError> {
    let attempted = attempted(path, name);
    let identifier = |text: &str| {
        !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.is_empty()
            && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    };
    if !identifier(name) {
        return Err(ChangeError::new(attempted, "this is not the name of a variable"));
    }
    if let Some(word) = add_words.iter().find(|word| !is_plain(word)) {
        return Err(ChangeError::new(attempted, format!("{word:?} would need quotes within the value")));
    }
    let mut document = Document::new(path, bytes);
    let value = last_value(&document, name)
        .map_err(|line| by_hand(&attempted, &format!("line {line} is more than a plain assignment to it")))?;
    let Some(value) = value else {
        if !add_words.is_empty() {
            document.append_line(format!("{name}=\"{}\"", add_words.join(" ")).as_bytes());
        }
        return Ok(document.into_bytes());
    };
    let (span, text) = with_words(&document, &value, add_words);
    document.replace(span, &text).map_err(|error| ChangeError::new(attempted, error.to_string()))?;
    Ok(document.into_bytes())
}

fn by_hand(attempted: &str, why: &str) -> ChangeError {
    ChangeError::new(attempted, why).help("add the words by hand")
}

/// Whether a word means itself, with quotes of either kind around it and without.
fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.,:/+@%".contains(&byte);
    !word.is_empty() && word.bytes().all(plain)
}

/// The value of an assignment.
struct Value {
    /// Without the quotes.
    span: Span,
    quoted: bool,
}

/// The value of the last assignment, or the number of a line that is beyond us.
fn last_value(document: &Document, name: &str) -> Result<Option<Value>, usize> {
    let mut last = None;
    for line in document.lines() {
        let text = document.get(line.span).unwrap_or_default();
        if text.trim_ascii_start().starts_with(b"#") || !mentions(text, name.as_bytes()) {
            continue;
        }
        last = Some(value_on(document, *line, name).ok_or(line.number)?);
    }
    Ok(last)
}

/// Whether a line may assign the variable: its name stands there as a word with `=` or `+=` after it.
fn mentions(text: &[u8], name: &[u8]) -> bool {
    let part_of_word = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
    text.windows(name.len()).enumerate().filter(|(_, window)| *window == name).any(|(at, _)| {
        let (before, after) =
            (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        !before.last().is_some_and(part_of_word) && (after.starts_with(b"=") || after.starts_with(b"+="))
    })
}

fn value_on(document: &Document, line: Line, name: &str) -> Option<Value> {
    let text = document.get(line.span)?;
    let start = text.trim_ascii_start();
    let assignment = match start.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(|byte| is_blank(*byte)) => rest.trim_ascii_start(),
        _ => start,
    };
    let value = assignment.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    let at = line.span.start + (text.len() - value.len());
    let (begin, length, quoted, rest) = match value.first().copied() {
        Some(quote @ (b'"' | b'\'')) => {
            let inner = value.get(1..)?;
            let end = inner.iter().position(|byte| *byte == quote)?;
            // A backslash before the closing quote would make it a part of the value.
            if quote == b'"' && inner.get(..end)?.contains(&b'\\') {
                return None;
            }
            (at + 1, end, true, inner.get(end + 1..)?)
        }
        _ => {
            let end = value.iter().position(|byte| is_blank(*byte)).unwrap_or(value.len());
            let word = std::str::from_utf8(value.get(..end)?).ok()?;
            if !word.is_empty() && !is_plain(word) {
                return None;
            }
            (at, end, false, value.get(end..)?)
        }
    };
    let nothing_else = match rest.trim_ascii().first() {
        None => true,
        Some(first) => *first == b'#' && is_blank(*rest.first()?),
    };
    nothing_else.then(|| Value { span: Span::new(begin, begin + length), quoted })
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What to replace, and by what, so that the value holds the words.
fn with_words(document: &Document, value: &Value, add_words: &[String]) -> (Span, Vec<u8>) {
    let present = document.get(value.span).unwrap_or_default();
    let missing: Vec<&[u8]> = add_words
        .iter()
        .map(String::as_bytes)
        .filter(|word| !present.split(|byte| is_blank(*byte)).any(|held| held == *word))
        .collect();
    if missing.is_empty() {
        return (value.span, present.to_vec());
    }
    let mut words = vec![present.trim_ascii_end()];
    words.retain(|word| !word.is_empty());
    words.extend(missing);
    let words = words.join(&b' ');
    (value.span, if value.quoted { words } else { [b"\"", words.as_slice(), b"\""].concat() })
}
