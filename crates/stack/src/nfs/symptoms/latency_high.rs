//! Operations on an NFS mount take long.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nfs::Operation;
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
/// Reads and writes are sent many at once and take as long as their bytes; from here on they are felt.
const SLOW_DATA_MS: f64 = 100.0;
/// Fewer operations than this make no one wait.
const LEAST_PER_S: f64 = 5.0;

struct Group<'a> {
    mount: &'a Rates<'a>,
    what: &'static str,
    grown: Operation,
    slow_ms: f64,
}

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let latest = evidence.latest(|reading| &reading.nfs)?;
    if latest.mounts.is_empty() {
        return Ok(Presence::new(false, "no NFS file system is mounted"));
    }
    let span = evidence.span(|reading| &reading.nfs)?;
    let rates = rates(&span);
    let used = rates.iter().flat_map(groups).filter(|group| group.per_s() >= LEAST_PER_S);
    Ok(match used.max_by(|a, b| a.slowness().total_cmp(&b.slowness())) {
        Some(group) => presence(&group),
        None => Presence::new(false, format!("no NFS mount does {LEAST_PER_S} operations/s")),
    })
}

fn groups<'a>(mount: &'a Rates<'a>) -> [Group<'a>; 2] {
    [
        Group { mount, what: "metadata", grown: mount.metadata(), slow_ms: SLOW_MS },
        Group { mount, what: "data", grown: mount.data(), slow_ms: SLOW_DATA_MS },
    ]
}

impl Group<'_> {
    fn per_s(&self) -> f64 {
        self.grown.per_s(self.mount.seconds)
    }

    fn execute_ms(&self) -> f64 {
        self.grown.mean_ms(self.grown.execute_ms)
    }

    fn slowness(&self) -> f64 {
        self.execute_ms() / self.slow_ms
    }
}

fn presence(group: &Group) -> Presence {
    let place = &group.mount.mount.mount_point;
    let (taken, rate) = (number_text(group.execute_ms()), number_text(group.per_s()));
    let summary = format!("{place} takes {taken} ms a {} operation at {rate}/s", group.what);
    let source = "/proc/self/mountstats";
    let seen =
        |field: &str, value: f64| Observation::new(source, format!("{place} {} {field}", group.what), value);
    Presence::new(group.slowness() >= 1.0, summary)
        .seen(seen("execute per operation", group.execute_ms()).unit("ms"))
        .seen(seen("rtt per operation", group.grown.mean_ms(group.grown.rtt_ms)).unit("ms"))
        .seen(seen("queue per operation", group.grown.mean_ms(group.grown.queue_ms)).unit("ms"))
        .seen(seen("operations", group.per_s()).unit("/s"))
}
