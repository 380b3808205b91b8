//! One parameter that two files of the operator set to different values.

use model::{Missing, Outcome, Remedy, Severity};

use crate::settings::Persisted;
use crate::settings::edits;
use crate::settings::lines::{assignments, bare, first_and_more, in_effect, is_vendors, place, same, seen};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "settings.overridden",
    title: "Two lines of sysctl.d set one parameter to different values",
    explains: &[],
    refutes: &[],
    document: include_str!("overridden.md"),
    test,
};

/// More lines than this are counted, not shown.
const SHOWN: usize = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let persisted = assignments(evidence)?;
    let lost: Vec<_> =
        persisted.iter().filter_map(|loser| Some((loser, winner(persisted, loser)?))).collect();
    if lost.is_empty() {
        let summary = format!("no two of {} assignments contradict each other", persisted.len());
        return Ok(Outcome::ruled_out(summary));
    }
    let line = |(loser, winner): &(&Persisted, &Persisted)| {
        let (says, counts) = (bare(&loser.value), bare(&winner.value));
        format!("{}: {} says {says}, {} says {counts} and counts", loser.key, place(loser), place(winner))
    };
    let outcome = Outcome::confirmed(Severity::Hygiene, first_and_more(lost.iter().map(line).collect()));
    let outcome =
        outcome.seen_all(lost.iter().take(SHOWN).flat_map(|(loser, winner)| [seen(loser), seen(winner)]));
    Ok(outcome.remedy(remedy(persisted, &lost)))
}

/// Who wins over a line, where that line is the operator's own and says something else.
fn winner<'a>(persisted: &'a [Persisted], loser: &Persisted) -> Option<&'a Persisted> {
    if !loser.overridden || loser.not_read || is_vendors(&loser.file) {
        return None;
    }
    in_effect(persisted, &loser.key).filter(|winner| !same(&winner.value, &loser.value))
}

/// The lines without effect go: the kernel has, and gets at boot, what the others say.
fn remedy(persisted: &[Persisted], lost: &[(&Persisted, &Persisted)]) -> Remedy {
    let keys = lost.iter().map(|(loser, _)| format!("Leave one line that sets {}", loser.key)).collect();
    let losers: Vec<_> = lost.iter().map(|(loser, _)| *loser).collect();
    let changes =
        edits::delete(persisted, &losers, "the line without effect goes; if it was meant, delete the other");
    let remedy = Remedy::new(first_and_more(keys), "each key is set once");
    changes.into_iter().fold(remedy, |remedy, mut change| {
        for (loser, winner) in lost {
            if edits::is_in(&change, loser) {
                change.target = change.target.input("in effect", bare(&winner.value), &place(winner));
            }
        }
        remedy.change(change.risks("none while the line in effect stays"))
    })
}
