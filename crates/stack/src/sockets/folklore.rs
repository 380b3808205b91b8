//! Outcomes that causes about settings without effect share.

use model::{Missing, Remedy};

use super::parameters;
use crate::Evidence;
use crate::settings::edits;

/// Whether a parameter was set by hand, as far as can be told.
pub(super) enum Origin {
    /// It is what the kernel chose.
    Kernel,
    /// Someone set it; the kernel would have chosen this, where that is known.
    Someone(Option<u64>),
}

/// Tells the kernel's choice from someone's, for a parameter that the kernel derives from the size of its hash.
///
/// `own` is the kernel's own value, where another parameter shows it.
///
/// # Errors
/// What is missing: the files of sysctl.d(5), when nothing else shows who set it.
pub(super) fn origin(
    evidence: &Evidence,
    key: &str,
    value: i64,
    own: Option<u64>,
) -> Result<Origin, Missing> {
    let value = u64::try_from(value).unwrap_or(0);
    if own == Some(value) {
        return Ok(Origin::Kernel);
    }
    if own.is_some() || evidence.settings.owner(key).is_some() || !value.is_power_of_two() {
        return Ok(Origin::Someone(own));
    }
    match &evidence.settings.persisted {
        model::Layered::Facts(_) => Ok(Origin::Kernel),
        model::Layered::Unread(unread) => {
            Err(unread.missing(&format!("who set {key}, in the files of sysctl.d(5)")))
        }
    }
}

/// Taking a setting away: back to the kernel's own value where it is known, else out of the file that sets it.
pub(super) fn undo(
    evidence: &Evidence,
    key: &str,
    own: Option<u64>,
    formula: &str,
    moves: &str,
) -> Option<Remedy> {
    if let Some(own) = own {
        return Some(parameters::restore(evidence, key, own, formula, moves));
    }
    let persisted = evidence.settings.persisted.facts()?;
    let lines: Vec<_> = persisted.iter().filter(|entry| entry.key == key && !entry.not_read).collect();
    let changes =
        edits::delete(persisted, &lines, "the kernel chooses the value from the host's memory at boot");
    let remedy = Remedy::new(format!("Leave {key} to the kernel"), moves);
    let changes = changes.into_iter().map(|change| {
        change.restarts("a reboot, for the kernel's own value; until then the present one stays")
    });
    (!lines.is_empty()).then(|| changes.fold(remedy, Remedy::change))
}
