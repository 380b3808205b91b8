//! A value of sysctl.d(5) that ends in what was meant as a comment.

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::settings::Persisted;
use crate::settings::lines::{assignments, bare, first_and_more, is_numeric, place, same, seen};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "settings.trailing-comment",
    title: "A comment stands behind a value in sysctl.d, where there are none",
    explains: &[],
    refutes: &[],
    document: include_str!("trailing_comment.md"),
    test,
};

/// More lines than this are counted, not shown.
const SHOWN: usize = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let persisted = assignments(evidence)?;
    let commented: Vec<_> =
        persisted.iter().filter(|entry| entry.comment_like && !entry.overridden).collect();
    if commented.is_empty() {
        return Ok(Outcome::ruled_out(format!("none of {} assignments carries a comment", persisted.len())));
    }
    let lines = commented.iter().map(|entry| line(evidence, entry)).collect();
    let outcome = Outcome::confirmed(Severity::Hygiene, first_and_more(lines));
    let outcome = outcome.seen_all(commented.iter().take(SHOWN).map(|entry| seen(entry)));
    Ok(commented.iter().filter_map(|entry| remedy(entry)).take(SHOWN).fold(outcome, Outcome::remedy))
}

fn line(evidence: &Evidence, entry: &Persisted) -> String {
    let fate = match evidence.settings.value(&entry.key) {
        Some(now) if same(now, &entry.value) => "the kernel took it up to the blank",
        Some(_) if !is_numeric(&entry.value) => "the kernel takes the comment into the name and refuses it",
        _ => "the kernel is given the comment too",
    };
    format!("{} {}: {fate}", place(entry), entry.key)
}

/// Nothing is proposed for a value that was taken out as a secret: the line cannot be written without it.
fn remedy(entry: &Persisted) -> Option<Remedy> {
    let alone = bare(&entry.value);
    if alone == entry.value {
        return None;
    }
    let target =
        Derived::new(format!("{} = {alone}", entry.key), "the assignment alone, its comment a line above")
            .input("line", &entry.value, &place(entry));
    let edit = format!("put the comment of line {} on a line of its own, beginning with #", entry.line);
    let what = ChangeKind::File { path: entry.file.clone(), edit, edits: vec![] };
    let change = Change::new(what, Some(entry.value.clone()), target)
        .persists_by(&entry.file)
        .restarts("systemd-sysctl, or the next boot")
        .risks("a value that the kernel refused until now takes effect");
    Some(
        Remedy::new(format!("Take the comment out of {}", place(entry)), "systemd-sysctl reports no failure")
            .change(change),
    )
}
