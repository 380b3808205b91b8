//! A value of sysctl.d(5) that ends in what was meant as a comment.

use model::{Missing, Outcome, Remedy, Severity};

use crate::settings::Persisted;
use crate::settings::edits;
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
    Ok(remedy(persisted, &commented).into_iter().fold(outcome, Outcome::remedy))
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
fn remedy(persisted: &[Persisted], commented: &[&Persisted]) -> Option<Remedy> {
    let known: Vec<_> = commented.iter().copied().filter(|entry| bare(&entry.value) != entry.value).collect();
    let places: Vec<_> =
        known.iter().map(|entry| format!("Take the comment out of {}", place(entry))).collect();
    let remedy = Remedy::new(first_and_more(places), "systemd-sysctl reports no failure");
    let changes = edits::clean(persisted, &known).into_iter().map(|change| {
        change
            .restarts("systemd-sysctl, or the next boot")
            .risks("a value that the kernel refused until now takes effect; the comment itself is lost")
    });
    (!known.is_empty()).then(|| changes.fold(remedy, Remedy::change))
}
