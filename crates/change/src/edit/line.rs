//! Whole lines, such as the names of modules in modules-load.d(5).

use conf::{Document, Span};

use super::attempted;
use crate::ChangeError;

/// Has a line stand in a file, at the end where it is new, or takes out all lines that are like it but for the blanks
/// around them.
pub(super) fn edited(path: &str, bytes: &[u8], line: &str, present: bool) -> Result<Vec<u8>, ChangeError> {
    let attempted = attempted(path, &format!("the line {line:?}"));
    let wanted = line.trim().as_bytes();
    if wanted.is_empty() || wanted.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\0')) {
        return Err(ChangeError::new(attempted, "it is empty or more than one line"));
    }
    let mut document = Document::new(path, bytes);
    let like: Vec<_> = document
        .lines()
        .iter()
        .filter(|line| document.get(line.span).is_some_and(|text| text.trim_ascii() == wanted))
        .map(|line| Span::new(line.span.start, line.span.end + line.ending.as_bytes().len()))
        .collect();
    match present {
        true if like.is_empty() => document.append_line(line.as_bytes()),
        true => {}
        false => {
            for span in like.into_iter().rev() {
                document
                    .replace(span, b"")
                    .map_err(|error| ChangeError::new(&attempted, error.to_string()))?;
            }
        }
    }
    Ok(document.into_bytes())
}
