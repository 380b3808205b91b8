//! Requests to a disk take long.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::disk::rates::rates;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "disk.latency-high",
    title: "Disk requests take long",
    document: include_str!("latency_high.md"),
    test,
};

/// A request that takes longer is felt: ten of them in a row are a tenth of a second of every page.
const SLOW_MS: f64 = 10.0;
/// Fewer requests than this make no one wait.
const LEAST_PER_S: f64 = 5.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.disk)?;
    let disks =
        rates(&span).into_iter().filter(|disk| !disk.is_virtual && disk.requests_per_s >= LEAST_PER_S);
    let slowest = disks.max_by(|a, b| a.latency_ms.unwrap_or(0.0).total_cmp(&b.latency_ms.unwrap_or(0.0)));
    let Some((disk, latency)) = slowest.and_then(|disk| disk.latency_ms.map(|latency| (disk, latency)))
    else {
        return Ok(Presence::new(false, format!("no disk does {LEAST_PER_S} requests/s")));
    };
    let summary = format!(
        "{} takes {} ms a request at {}/s",
        disk.name,
        number_text(latency),
        number_text(disk.requests_per_s)
    );
    let seen =
        Observation::new("/proc/diskstats", format!("{} time per request", disk.name), latency).unit("ms");
    Ok(Presence::new(latency >= SLOW_MS, summary).seen(seen))
}
