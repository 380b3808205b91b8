//! A `vm.vfs_cache_pressure` that does nothing, or harm.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::memory::rates::{LARGE, available, is_full, no_counter, rate, rate_of_all, share};
use crate::settings::edits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.cache-pressure-inert",
    title: "vm.vfs_cache_pressure does not do what is believed",
    explains: &[],
    refutes: &[],
    document: include_str!("cache_pressure_inert.md"),
    test,
};

const KEY: &str = "vm.vfs_cache_pressure";
/// The value at which entries and pages are reclaimed at a fair rate.
const FAIR: u64 = 100;
/// Below it, pages that are needed are dropped for entries that are not.
const LOWEST: u64 = 30;
/// Above it, reclaim searches for more entries than there are.
const HIGHEST: u64 = 200;
/// Above this share of available memory nothing is short.
const PLENTY: f64 = 0.20;
/// From this many file pages per second that were dropped and wanted again on, pages are short.
const REFAULTS_PER_S: f64 = 100.0;

struct Seen {
    value: u64,
    scanned_per_s: f64,
    available: f64,
    reclaimable: f64,
    is_full: bool,
    refaults_per_s: f64,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let latest = evidence.latest(|reading| &reading.memory)?;
    let value = latest.vfs_cache_pressure.ok_or_else(|| {
        Missing::new(
            "/proc/sys/vm/vfs_cache_pressure",
            "read the host itself: this container does not show it",
        )
    })?;
    if value == FAIR {
        return Ok(Outcome::ruled_out("vm.vfs_cache_pressure is 100, the fair rate"));
    }
    if value == 0 {
        let line = "vm.vfs_cache_pressure is 0: entries are never given back";
        return Ok(Outcome::confirmed(Severity::Latent, line).remedy(remedy(value, evidence)));
    }
    let span = evidence.span(|reading| &reading.memory)?;
    let meminfo =
        |name: &str| Missing::new(format!("/proc/meminfo {name}"), "a kernel since Linux 3.14 tells it");
    let seen = Seen {
        value,
        scanned_per_s: rate(&span, "slabs_scanned").ok_or_else(|| no_counter("slabs_scanned"))?,
        available: available(latest).ok_or_else(|| meminfo("MemAvailable"))?,
        reclaimable: share(latest, "SReclaimable").unwrap_or(0.0),
        is_full: is_full(latest).unwrap_or(false),
        refaults_per_s: rate(&span, "workingset_refault_file")
            .or_else(|| rate_of_all(&span, "workingset_refault"))
            .unwrap_or(0.0),
    };
    Ok(judge(&seen, evidence).seen_all(observations(&seen)))
}

fn judge(seen: &Seen, evidence: &Evidence) -> Outcome {
    let value = seen.value;
    let here = format!("{} % of memory available", number_text(percent(seen.available)));
    if seen.scanned_per_s <= 0.0 && seen.available >= PLENTY {
        let line = format!("{value} acts only while memory is reclaimed: nothing was; {here}");
        return Outcome::confirmed(Severity::Folklore, line).remedy(remedy(value, evidence));
    }
    let crowded = seen.reclaimable > LARGE && seen.is_full;
    let line = match value {
        value if value > HIGHEST => {
            format!("{value} makes reclaim search for {}× the entries; {here}", number_text(times(value)))
        }
        value if value > FAIR && crowded => {
            return Outcome::ruled_out(format!("{value} is right: entries crowd pages out; {here}"));
        }
        value if value > FAIR && seen.is_full => {
            let line = format!("{value} may be what keeps entries from crowding pages out");
            return Outcome::consistent(Severity::Folklore, line).lacks(Missing::new(
                "the share of entries at 100",
                "set it to 100 for an hour, and look whether reclaimable slabs take a quarter of memory",
            ));
        }
        value if value > FAIR => format!("{value} drops entries that do not crowd anything out; {here}"),
        value if value < LOWEST => format!("{value} keeps entries before pages that are needed; {here}"),
        _ if seen.refaults_per_s >= REFAULTS_PER_S => {
            format!(
                "{value} keeps entries while pages are read again, {}/s",
                number_text(seen.refaults_per_s.round())
            )
        }
        _ => {
            let line = format!("{value} keeps entries longer; pages are not read again");
            return Outcome::consistent(Severity::Folklore, line).lacks(Missing::new(
                "disk reads of a first lookup",
                "compare the disk's reads while many files are looked up with 50 and with 100",
            ));
        }
    };
    Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(value, evidence))
}

#[expect(clippy::cast_precision_loss, reason = "a setting of few digits")]
fn times(value: u64) -> f64 {
    value as f64 / FAIR as f64
}

fn observations(seen: &Seen) -> Vec<Observation> {
    vec![
        Observation::new("/proc/sys/vm/vfs_cache_pressure", KEY, seen.value),
        Observation::new("/proc/vmstat", "slabs_scanned", seen.scanned_per_s).unit("/s"),
        Observation::new("/proc/vmstat", "workingset_refault_file", seen.refaults_per_s).unit("/s"),
        Observation::new("/proc/meminfo", "MemAvailable", percent(seen.available)).unit("%"),
        Observation::new("/proc/meminfo", "SReclaimable", percent(seen.reclaimable)).unit("%"),
    ]
}

fn remedy(value: u64, evidence: &Evidence) -> Remedy {
    let target = Derived::new(
        FAIR,
        "100 unless entries crowd pages out (then 150 to 200) or their loss costs disk reads (then 50)",
    )
    .input(KEY, value, "/proc/sys/vm/vfs_cache_pressure");
    let change = Change::sysctl(KEY, Some(value.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("none: 100 reclaims entries and pages at a fair rate");
    let remedy =
        Remedy::new("Leave vm.vfs_cache_pressure at 100", "nothing measurable while memory is not short");
    edits::restore(evidence, KEY, change).into_iter().fold(remedy, Remedy::change)
}
