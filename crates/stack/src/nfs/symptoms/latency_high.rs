//! Operations on an NFS mount take long.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nfs::rates::{Rates, rates};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nfs.latency-high",
    title: "NFS operations take long",
    document: include_str!("latency_high.md"),
    test,
};

/// An operation that takes longer is felt: a page that includes 180 files asks 180 times, one after the other.
const SLOW_MS: f64 = 10.0;
/// Fewer operations than this make no one wait.
const LEAST_PER_S: f64 = 5.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let latest = evidence.latest(|reading| &reading.nfs)?;
    if latest.mounts.is_empty() {
        return Ok(Presence::new(false, "no NFS file system is mounted"));
    }
    let span = evidence.span(|reading| &reading.nfs)?;
    let rates = rates(&span);
    let used = rates.iter().filter(|mount| mount.per_s() >= LEAST_PER_S);
    let slowest = used.max_by(|a, b| execute_ms(a).total_cmp(&execute_ms(b)));
    let Some(mount) = slowest else {
        return Ok(Presence::new(false, format!("no NFS mount does {LEAST_PER_S} operations/s")));
    };
    let (place, taken) = (&mount.mount.mount_point, execute_ms(mount));
    let summary =
        format!("{place} takes {} ms an operation at {}/s", number_text(taken), number_text(mount.per_s()));
    let source = "/proc/self/mountstats";
    let seen = |field: &str, value: f64| Observation::new(source, format!("{place} {field}"), value);
    Ok(Presence::new(taken >= SLOW_MS, summary)
        .seen(seen("execute per operation", taken).unit("ms"))
        .seen(seen("rtt per operation", mount.mean_ms(|op| op.rtt_ms).unwrap_or(0.0)).unit("ms"))
        .seen(seen("queue per operation", mount.mean_ms(|op| op.queue_ms).unwrap_or(0.0)).unit("ms"))
        .seen(seen("operations", mount.per_s()).unit("/s")))
}

fn execute_ms(mount: &Rates) -> f64 {
    mount.mean_ms(|operation| operation.execute_ms).unwrap_or(0.0)
}
