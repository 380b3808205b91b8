//! One parameter that two files of the operator set to different values.

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::settings::Persisted;
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
    Ok(lost
        .iter()
        .take(SHOWN)
        .fold(outcome, |outcome, (loser, winner)| outcome.remedy(remedy(loser, winner))))
}

/// Who wins over a line, where that line is the operator's own and says something else.
fn winner<'a>(persisted: &'a [Persisted], loser: &Persisted) -> Option<&'a Persisted> {
    if !loser.overridden || loser.not_read || is_vendors(&loser.file) {
        return None;
    }
    in_effect(persisted, &loser.key).filter(|winner| !same(&winner.value, &loser.value))
}

fn remedy(loser: &Persisted, winner: &Persisted) -> Remedy {
    let target = Derived::new("one assignment", "the line without effect goes, or takes the other's place")
        .input("without effect", bare(&loser.value), &place(loser))
        .input("in effect", bare(&winner.value), &place(winner));
    let edit = format!("delete line {} ({}), or the one that wins over it", loser.line, loser.key);
    let what = ChangeKind::File { path: loser.file.clone(), edit, edits: vec![] };
    let change = Change::new(what, Some(loser.value.clone()), target)
        .persists_by(&loser.file)
        .owned_by(Some(place(winner)))
        .risks("none while the line in effect stays");
    Remedy::new(format!("Leave one line that sets {}", loser.key), "each key is set once").change(change)
}
