//! What the causes of this layer share: the mounts over the window, and how they are shown.

use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Presence};

use super::Facts;
use super::rates::Rates;
use crate::settings::FstabMount;
use crate::{Evidence, Span};

/// The file the numbers of a mount are from.
pub(super) const SOURCE: &str = "/proc/self/mountstats";
/// Where file systems are named that are mounted at boot.
const FSTAB: &str = "/etc/fstab";
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

/// The line of fstab(5) that mounts an NFS file system there.
pub(super) fn fstab<'a>(evidence: &'a Evidence, mount_point: &str) -> Option<&'a FstabMount> {
    let lines = evidence.settings.fstab.facts()?;
    lines.iter().find(|line| line.filesystem.starts_with("nfs") && line.mount_point == mount_point)
}

/// Whether a line of fstab(5) has an option, with or without a value.
pub(super) fn has_option(line: &FstabMount, name: &str) -> bool {
    line.options.split(',').any(|option| option.split('=').next() == Some(name))
}

/// Options that go from a line of fstab(5), and so from the next mount. What is mounted now stays as it is.
pub(super) fn leave_out(line: &FstabMount, options: &[&str], target: Derived) -> Change {
    let edits = options.iter().map(|option| Edit::Fstab {
        mount_point: line.mount_point.clone(),
        option: (*option).to_owned(),
        to: Presence::Removed,
    });
    let edit = format!("take {} out of line {} ({})", options.join(" and "), line.line, line.mount_point);
    let what = ChangeKind::File { path: FSTAB.to_owned(), edit, edits: edits.collect() };
    Change::new(what, Some(line.options.clone()), target)
        .persists_by(FSTAB)
        .restarts("none; it holds from the next mount on")
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
