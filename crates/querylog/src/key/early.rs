//! Statements whose fingerprint depends on their beginning alone.

/// What a statement is at first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    /// This much of it decides, as it stands.
    Whole(usize),
    /// An INSERT or REPLACE of several rows: the rules read up to the end of the first.
    Rows {
        /// Where VALUES begins.
        values: usize,
        /// The end of the first row, after its bracket.
        end: usize,
    },
    /// Anything else.
    Plain,
}

const DUMP: &[u8] = b"SELECT /*!40001 SQL_NO_CACHE */ * FROM `";

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn strip_word<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| is_space(**byte)).count();
    text.get(spaces..).unwrap_or_default()
}

pub(super) fn look(query: &[u8]) -> Early {
    let start = match query.first() {
        Some(byte) if is_space(*byte) => skip_spaces(query),
        _ => query,
    };
    match start.first().map(u8::to_ascii_lowercase) {
        Some(b's') if query.starts_with(DUMP) => Early::Whole(DUMP.len()),
        Some(b'a') if start.starts_with(b"administrator command: ") => Early::Whole(query.len()),
        Some(b'c') => call(query, start),
        Some(b'i' | b'r') => rows(query).unwrap_or(Early::Plain),
        _ => Early::Plain,
    }
}

/// CALL: everything up to the last bracket of the first run of bytes that are not blank.
fn call(query: &[u8], start: &[u8]) -> Early {
    let Some(rest) = strip_word(start, b"call") else { return Early::Plain };
    let name = skip_spaces(rest);
    if name.len() == rest.len() {
        return Early::Plain;
    }
    let run = name.iter().position(|byte| is_space(*byte)).unwrap_or(name.len());
    let bracket = memchr::memrchr(b'(', name.get(..run).unwrap_or_default());
    match bracket {
        Some(bracket) if bracket > 0 && !has_own_comment(query) => {
            Early::Whole(query.len() - name.len() + bracket + 1)
        }
        _ => Early::Whole(query.len()),
    }
}

/// `INSERT [IGNORE] INTO … VALUES (…), (`, whatever quotes are in between: the rules do not look at them here.
fn rows(query: &[u8]) -> Option<Early> {
    let rest = strip_word(query, b"insert").or_else(|| strip_word(query, b"replace"))?;
    let into = |rest| {
        strip_word(skip_spaces(rest), b"into").filter(|_| rest.first().is_some_and(|byte| is_space(*byte)))
    };
    let rest = strip_word(rest, b" ignore").and_then(into).or_else(|| into(rest))?;
    let (values, row) = values(query, query.len() - rest.len() + 1)?;
    let end = row_end(query, row)?;
    if has_own_comment(query.get(end..)?) {
        return Some(Early::Whole(query.len()));
    }
    Some(Early::Rows { values, end })
}

/// Where `VALUES (` is, from a place on, and the place after its bracket.
fn values(query: &[u8], from: usize) -> Option<(usize, usize)> {
    let region = query.get(from..)?;
    for place in memchr::memchr2_iter(b'V', b'v', region) {
        let Some(rest) = region.get(place..).and_then(|rest| strip_word(rest, b"values")) else { continue };
        if let [b'(', row @ ..] = skip_spaces(rest) {
            return Some((from + place, query.len() - row.len()));
        }
    }
    None
}

/// The end of the row that begins at a place, if another follows: the first `),(`, blanks aside.
fn row_end(query: &[u8], row: usize) -> Option<usize> {
    let region = query.get(row..)?;
    for place in memchr::memchr_iter(b'(', region) {
        let before = trim_end(region.get(..place)?);
        let Some((b',', before)) = before.split_last() else { continue };
        let before = trim_end(before);
        if before.last() == Some(&b')') {
            return Some(row + before.len());
        }
    }
    None
}

/// Whether pt-query-digest's own `/*db.table:1/2*/` is anywhere: the rules look for it first of all.
fn has_own_comment(text: &[u8]) -> bool {
    fn skip_word(text: &[u8]) -> Option<&[u8]> {
        let word = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        text.get(word..).filter(|_| word > 0)
    }
    let is_own = |comment: &[u8]| {
        let rest = skip_word(comment)?;
        let rest = skip_word(rest.strip_prefix(b".")?)?;
        matches!(rest, [b':', b'0'..=b'9', b'/', b'0'..=b'9', b'*', b'/', ..]).then_some(())
    };
    memchr::memmem::find_iter(text, b"/*").any(|place| text.get(place + 2..).and_then(is_own).is_some())
}

fn trim_end(text: &[u8]) -> &[u8] {
    let spaces = text.iter().rev().take_while(|byte| is_space(**byte)).count();
    text.get(..text.len() - spaces).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_after_the_first_are_seen() {
        let query = b"INSERT INTO t (value) VALUES (1, 'a') ,\n ( 2, 'b')";
        let Early::Rows { values, end } = look(query) else { panic!("no rows") };
        assert_eq!((&query[values..values + 6], &query[..end]), (&b"VALUES"[..], &query[..37]));
        assert_eq!(look(b"insert ignore into t values (1)"), Early::Plain);
        assert_eq!(look(b"insert low_priority into t values (1),(2)"), Early::Plain);
    }

    #[test]
    fn a_call_is_known_by_its_last_bracket_before_a_blank() {
        assert_eq!(look(b" CALL a.b(1,(2, 3))"), Early::Whole(13));
        assert_eq!(look(b"call  foo (1)"), Early::Whole(13));
        assert_eq!(look(b"callfoo(1)"), Early::Plain);
    }
}
