//! The changes of a remedy are made together or not at all.

use std::collections::BTreeMap;

use model::ChangeKind;

use super::lower::target_of;
use super::{PlannedChange, Refusal};

/// Refuses every change whose causes all have a refused change in their remedy: a longer queue helps nobody when the
/// one in front of it stays short, and more workers than the database takes connections do harm. What another cause,
/// of which nothing is refused, asks for as well stays.
pub(super) fn together(changes: Vec<PlannedChange>, refused: &mut Vec<Refusal>) -> Vec<PlannedChange> {
    let mut kept = changes;
    loop {
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for refusal in &*refused {
            for cause in &refusal.causes {
                first.entry(cause.clone()).or_insert_with(|| name(&refusal.change.what));
            }
        }
        let torn = |change: &PlannedChange| change.causes.iter().all(|cause| first.contains_key(cause));
        let (out, left): (Vec<_>, Vec<_>) = kept.into_iter().partition(torn);
        kept = left;
        if out.is_empty() {
            return kept;
        }
        refused.extend(out.into_iter().map(|change| refusal(change, &first)));
    }
}

fn refusal(change: PlannedChange, first: &BTreeMap<String, String>) -> Refusal {
    let with = change.causes.iter().find_map(|cause| first.get(cause)).cloned().unwrap_or_default();
    Refusal {
        because: format!("goes with {with}, which is refused: the changes of a remedy are made together"),
        causes: change.causes,
        change: change.change,
        owner: None,
        instead: format!("once {with} is settled, plan again; or make this change alone by hand"),
    }
}

/// What is changed, in a few words.
fn name(what: &ChangeKind) -> String {
    match what {
        ChangeKind::Elsewhere { place } => place.clone(),
        what => target_of(what, None).map(|target| target.kind().name()).unwrap_or_default(),
    }
}
