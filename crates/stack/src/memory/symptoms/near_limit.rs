//! Memory is nearly all taken.

use model::{Missing, Observation};

use crate::cgroup::rates::held_share;
use crate::cpu::shares::percent;
use crate::memory::rates::bytes_text;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "memory.near-limit",
    title: "Memory is nearly all taken",
    document: include_str!("near_limit.md"),
    test,
};

/// A host has little left when less than this share of its memory is available …
const LITTLE: f64 = 0.1;
/// … and less than this many bytes: on large hosts a tenth is plenty.
const PLENTY_BYTES: u64 = 2 << 30;
/// A control group has little left when it holds this share of its limit, without what the kernel gives back.
const NEARLY_FULL: f64 = 0.9;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let host = of_host(evidence);
    let groups = evidence.latest(|reading| &reading.cgroup).map(|facts| facts.groups.as_slice());
    let fullest = groups
        .unwrap_or_default()
        .iter()
        .filter_map(|group| Some((held_share(group)?, group)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    if let Some((share, group)) = fullest.filter(|(share, _)| *share >= NEARLY_FULL) {
        let limit = group.memory_max_bytes.unwrap_or(0);
        let summary = format!(
            "{} holds {:.0} % of its limit of {}, files it may give back left out",
            group.path,
            percent(share),
            bytes_text(limit)
        );
        let seen =
            Observation::new(format!("control group {}", group.path), "memory.max", limit).unit("bytes");
        return Ok(Presence::new(true, summary).seen(seen));
    }
    host
}

fn of_host(evidence: &Evidence) -> Result<Presence, Missing> {
    let memory = evidence.latest(|reading| &reading.memory)?;
    let figure = |name: &str| {
        let how = "/proc/meminfo has it since Linux 3.14";
        memory.meminfo.get(name).copied().ok_or_else(|| Missing::new(format!("{name} in /proc/meminfo"), how))
    };
    let (available, total) = (figure("MemAvailable")?, figure("MemTotal")?);
    let share = if total == 0 { 1.0 } else { available as f64 / total as f64 };
    let summary =
        format!("{} of {} are available, {:.0} %", bytes_text(available), bytes_text(total), percent(share));
    let present = share < LITTLE && available < PLENTY_BYTES;
    let seen = Observation::new("/proc/meminfo", "MemAvailable", available).unit("bytes");
    Ok(Presence::new(present, summary).seen(seen))
}
