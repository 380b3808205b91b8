//! Kernel parameters of this layer: what they are, and what the kernel would have chosen.

use model::{Change, Derived, Missing, Observation, Remedy};

use crate::Evidence;
use crate::settings::edits;

/// A kernel parameter of one number.
///
/// # Errors
/// What is missing, when it was not read or is no number.
pub fn number(evidence: &Evidence, key: &str) -> Result<i64, Missing> {
    evidence.settings.number(key).ok_or_else(|| absent(key))
}

/// A kernel parameter as missing evidence.
pub fn absent(key: &str) -> Missing {
    Missing::new(
        format!("{key} in /proc/sys"),
        "a container or an old kernel may not show it; read it on the host itself",
    )
}

/// A kernel parameter as an observation.
pub fn seen(evidence: &Evidence, key: &str) -> Option<Observation> {
    evidence.settings.value(key).map(|value| Observation::new("/proc/sys", key, value))
}

/// Half the buckets of the hash of established connections, as shown by one of the two parameters that the kernel sets
/// to it at boot (`tcp_init`, `tcp_sk_init`: `tcp_max_orphans` and `tcp_max_tw_buckets`).
///
/// `None` when the parameter was changed, or may have been: it is no power of two, or a file sets it, or the files
/// were not read.
pub fn half_of_hash(evidence: &Evidence, witness: &str) -> Option<u64> {
    evidence.settings.persisted.facts()?;
    let value = u64::try_from(evidence.settings.number(witness)?).ok()?;
    (value.is_power_of_two() && evidence.settings.owner(witness).is_none()).then_some(value)
}

/// Giving a parameter back to the kernel's own value.
pub fn restore(evidence: &Evidence, key: &str, value: u64, formula: &str, moves: &str) -> Remedy {
    let current = evidence.settings.value(key).map(str::to_owned);
    let target = Derived::new(value, formula).input(
        "now",
        current.as_deref().unwrap_or("unknown"),
        &format!("/proc/sys {key}"),
    );
    let change = Change::sysctl(key, current, target).owned_by(evidence.settings.owner(key));
    let remedy = Remedy::new(format!("Set {key} back to {value}"), moves);
    edits::restore(evidence, key, change).into_iter().fold(remedy, Remedy::change)
}
