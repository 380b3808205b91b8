//! Comments. What lies in quotes is not known yet, so that a quoted `/*` opens one as well.

use super::bytes::{has, rewrite, run, tail};

/// Takes `/* … */` away, but neither `/*! … */` nor `/**/`, whose second star belongs to what is between.
pub(crate) fn strip_block(text: &[u8]) -> Vec<u8> {
    let mut closers = true;
    rewrite(text, |at, _| {
        let opens = closers && has(text, at, b"/*") && text.get(at + 2).is_some_and(|b| *b != b'!');
        if !opens {
            return None;
        }
        let end = memchr::memmem::find(tail(text, at + 3), b"*/");
        closers = end.is_some();
        end.map(|end| at + 3 + end + 2)
    })
}

/// Takes `-- …` and `# …` away up to the end of the line, unless a quote stands in between.
pub(crate) fn strip_line(text: &[u8]) -> Vec<u8> {
    let mut quoted_until = 0;
    rewrite(text, |at, _| {
        if at < quoted_until || !(has(text, at, b"--") || has(text, at, b"#")) {
            return None;
        }
        let end = run(text, at, |b| !matches!(b, b'\'' | b'"' | b'\r' | b'\n'));
        if matches!(text.get(end), Some(b'\'' | b'"')) {
            // Whatever starts before that quote runs into it as well.
            quoted_until = end;
            return None;
        }
        Some(end)
    })
}
