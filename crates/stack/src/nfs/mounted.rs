//! What the causes of this layer share: the mounts over the window, and how they are shown.

use model::{Missing, Observation};

use super::Facts;
use super::rates::Rates;
use crate::{Evidence, Span};

/// The file the numbers of a mount are from.
pub(super) const SOURCE: &str = "/proc/self/mountstats";
/// What is said of a host without NFS.
pub(super) const NONE: &str = "no NFS file system is mounted";
/// Fewer operations per second than this make no one wait.
pub(super) const LEAST_PER_S: f64 = 5.0;

/// The layer over the window; `None` on a host without an NFS mount, for which one reading is enough.
pub(super) fn mounted(evidence: &Evidence) -> Result<Option<Span<'_, Facts>>, Missing> {
    if evidence.latest(|reading| &reading.nfs)?.mounts.is_empty() {
        return Ok(None);
    }
    evidence.span(|reading| &reading.nfs).map(Some)
}

/// What a mount did, as observations.
pub(super) fn observations(mount: &Rates) -> Vec<Observation> {
    let place = &mount.mount.mount_point;
    let seen = |field: &str, value: f64, unit: &str| {
        Observation::new(SOURCE, format!("{place} {field}"), value).unit(unit)
    };
    let mut all = vec![seen("operations", mount.per_s(), "/s")];
    let means = [
        ("queue per operation", mount.mean_ms(|operation| operation.queue_ms)),
        ("rtt per operation", mount.mean_ms(|operation| operation.rtt_ms)),
        ("execute per operation", mount.mean_ms(|operation| operation.execute_ms)),
    ];
    all.extend(means.iter().filter_map(|(field, mean)| Some(seen(field, (*mean)?, "ms"))));
    all.push(seen("in flight", mount.in_flight(), "requests"));
    all.push(seen("waiting to be sent", mount.waiting(), "requests"));
    all
}
