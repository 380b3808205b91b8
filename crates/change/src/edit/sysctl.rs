//! Assignments of sysctl.d(5).

use conf::{Document, Span, SysctlDocument, SysctlEntry, SysctlKey};

use super::attempted;
use crate::ChangeError;

/// Sets the assignment on the line that is meant, else the last, else a new one at the end; or takes the one on that
/// line out, else all, since one that stays would take effect.
pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    key: &str,
    value: Option<&str>,
    line: Option<u32>,
) -> Result<Vec<u8>, ChangeError> {
    let attempted = attempted(path, key);
    let file = SysctlDocument::new(path, bytes);
    let failed = |why: String| ChangeError::new(&attempted, why);
    let Some(line) = line else {
        return match value {
            Some(value) => {
                let mut file = file;
                file.set(key, value).map_err(|error| super::failed(path, key, &error))?;
                Ok(file.as_bytes().to_vec())
            }
            None => without(&file, |entry| entry.key == SysctlKey::new(key), &attempted),
        };
    };
    let number = usize::try_from(line).unwrap_or(usize::MAX);
    let meant = |entry: &SysctlEntry| {
        entry.line == number && entry.is_assignment() && entry.key == SysctlKey::new(key)
    };
    let Some(entry) = file.entries().iter().rev().find(|entry| meant(entry)) else {
        return Err(failed(format!("line {line} does not assign it")).help("read the file again"));
    };
    match value {
        Some(value) => with_value(&file, entry, value).map_err(failed),
        None => without(&file, meant, &attempted),
    }
}

/// Replaces one value, provided that it is read back as it was meant.
fn with_value(file: &SysctlDocument, entry: &SysctlEntry, value: &str) -> Result<Vec<u8>, String> {
    let mut document = file.document().clone();
    document.replace(entry.value_span, value.as_bytes()).map_err(|error| error.to_string())?;
    let read_back = SysctlDocument::new(file.document().file().as_ref(), document.as_bytes());
    let same = |(after, before): (&SysctlEntry, &SysctlEntry)| {
        let expected = if before.span == entry.span { value.as_bytes() } else { &before.raw_value };
        (&after.key, after.kind, after.raw_value.as_slice()) == (&before.key, before.kind, expected)
    };
    let unread = read_back.unread().len() == file.unread().len();
    let entries = read_back.entries().len() == file.entries().len();
    if !(unread && entries && read_back.entries().iter().zip(file.entries()).all(same)) {
        return Err(format!("{value:?} does not fit into one line of sysctl.d(5)"));
    }
    Ok(document.into_bytes())
}

fn without(
    file: &SysctlDocument,
    meant: impl Fn(&SysctlEntry) -> bool,
    attempted: &str,
) -> Result<Vec<u8>, ChangeError> {
    let mut document = file.document().clone();
    for entry in file.entries().iter().rev().filter(|entry| entry.is_assignment() && meant(entry)) {
        let span = whole_line(file.document(), entry)
            .ok_or_else(|| ChangeError::new(attempted, format!("line {} holds more than it", entry.line)))?;
        document.replace(span, b"").map_err(|error| ChangeError::new(attempted, error.to_string()))?;
    }
    Ok(document.into_bytes())
}

/// The line of a statement with its end, where nothing else stands on it.
fn whole_line(document: &Document, entry: &SysctlEntry) -> Option<Span> {
    let line = document.lines().iter().find(|line| line.number == entry.line)?;
    let around = [Span::new(line.span.start, entry.span.start), Span::new(entry.span.end, line.span.end)];
    let alone =
        around.iter().all(|span| document.get(*span).is_some_and(|text| text.trim_ascii().is_empty()));
    alone.then(|| Span::new(line.span.start, line.span.end + line.ending.as_bytes().len()))
}
