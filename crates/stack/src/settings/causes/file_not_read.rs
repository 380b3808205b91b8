//! A file of kernel parameters that nothing reads at boot.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::settings::Persisted;
use crate::settings::lines::{assignments, bare, first_and_more, in_effect, place, same, seen};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "settings.file-not-read",
    title: "A file of kernel parameters is not read at boot",
    explains: &[],
    refutes: &[],
    document: include_str!("file_not_read.md"),
    test,
};

/// More lines than this are counted, not shown.
const SHOWN: usize = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let persisted = assignments(evidence)?;
    let left_out: Vec<_> =
        persisted.iter().filter(|entry| entry.not_read && !said_elsewhere(persisted, entry)).collect();
    let Some(first) = left_out.first() else {
        return Ok(Outcome::ruled_out(format!(
            "{} assignments, all in directories that are read",
            persisted.len()
        )));
    };
    let lacking =
        |entry: &&Persisted| evidence.settings.value(&entry.key).is_some_and(|now| !same(now, &entry.value));
    let lost: Vec<_> = left_out.iter().copied().filter(lacking).collect();
    let observations: Vec<_> = left_out.iter().take(SHOWN).flat_map(|entry| both(evidence, entry)).collect();
    if lost.is_empty() {
        let summary = format!("{} lines of {} have no effect in systemd", left_out.len(), first.file);
        return Ok(Outcome::consistent(Severity::Hygiene, summary).seen_all(observations).lacks(
            Missing::new(
                "whether anything else applies the file",
                "`sysctl --system` and an init script of procps read it; systemd-sysctl does not",
            ),
        ));
    }
    let line = |entry: &&Persisted| {
        let now = evidence.settings.value(&entry.key).unwrap_or_default();
        format!("{} {} = {} is not applied: it is {now}", place(entry), entry.key, bare(&entry.value))
    };
    let summary = first_and_more(lost.iter().map(line).collect());
    Ok(Outcome::confirmed(Severity::Hygiene, summary)
        .seen_all(observations)
        .remedy(remedy(first, left_out.len())))
}

/// Whether a file that is read says the same, so that nothing is lost.
fn said_elsewhere(persisted: &[Persisted], entry: &Persisted) -> bool {
    in_effect(persisted, &entry.key).is_some_and(|other| same(&other.value, &entry.value))
}

fn both(evidence: &Evidence, entry: &Persisted) -> Vec<Observation> {
    let now =
        evidence.settings.value(&entry.key).map(|now| Observation::new("/proc/sys", entry.key.clone(), now));
    [seen(entry)].into_iter().chain(now).collect()
}

fn remedy(first: &Persisted, lines: usize) -> Remedy {
    let target = Derived::new(
        "each line in a file of /etc/sysctl.d, or nowhere",
        "systemd-sysctl reads *.conf in its directories",
    )
    .input("lines without effect", lines, &first.file);
    let edit = "move the lines that are still meant into /etc/sysctl.d, and delete the others".to_owned();
    let change =
        Change::new(ChangeKind::File { path: first.file.clone(), edit, edits: vec![] }, None, target)
            .persists_by("/etc/sysctl.d")
            .restarts("systemd-sysctl, or the next boot")
            .risks(
                "lines that slept for years take effect: judge each, and never link the file in as a whole",
            );
    Remedy::new(format!("Empty {}", first.file), "no file outside the directories holds an assignment")
        .change(change)
}
