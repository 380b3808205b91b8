//! Directory entries that crowd out what is needed.

use model::counter::per_second;
use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{percent, stalled};
use crate::memory::Facts;
use crate::memory::rates::{LARGE, available, bytes_text, is_full, rate, rate_of_all, share};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.dentry-flood",
    title: "Cached directory entries crowd out what is needed",
    explains: &["memory.pressure"],
    refutes: &[],
    document: include_str!("dentry_flood.md"),
    test,
};

/// With less memory than this besides the entries, pages have hardly a place left.
const SCARCE: f64 = 0.10;
/// From this share of the window with a task stalled on memory on.
const PRESSURE: f64 = 0.10;
/// From this many allocations per second that had to free memory on.
const STALLS_PER_S: f64 = 10.0;
/// From this many new entries of absent names per second on, something probes for names again and again.
const PROBES_PER_S: f64 = 1000.0;
/// The bytes of a directory entry on 64-bit machines, where `/proc/slabinfo` may not be read.
const ENTRY_BYTES: u64 = 192;

struct Seen {
    entries: u64,
    bytes: u64,
    negative: Option<u64>,
    negative_per_s: Option<f64>,
    reclaimable: f64,
    available: f64,
    free: f64,
    is_full: bool,
    hurts: bool,
    cache_pressure: Option<u64>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.memory)?;
    let seen = look(evidence, &span)?;
    let line = line(&seen);
    let large = seen.reclaimable >= LARGE && seen.is_full;
    let crowded = large && seen.available - seen.reclaimable < SCARCE;
    let probed = seen.negative_per_s.is_some_and(|rate| rate >= PROBES_PER_S);
    let outcome = if large && seen.hurts {
        Outcome::confirmed(Severity::Limiting, line).remedy(prober(&seen)).remedy(pressure(&seen, evidence))
    } else if crowded {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "tasks that wait for memory",
            "look again under more load: reclaim has kept up so far",
        ))
    } else if probed {
        Outcome::confirmed(Severity::Hygiene, line).remedy(prober(&seen))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome.seen_all(observations(&seen)))
}

fn look(evidence: &Evidence, span: &Span<Facts>) -> Result<Seen, Missing> {
    let facts = span.last;
    let dentries = facts.dentries.ok_or_else(|| {
        Missing::new("/proc/sys/fs/dentry-state", "read the host itself: this container does not show it")
    })?;
    let meminfo =
        |name: &str| Missing::new(format!("/proc/meminfo {name}"), "a kernel since Linux 3.14 tells it");
    let slab = facts.slabs.iter().flatten().find(|slab| slab.name == "dentry");
    let size = slab.map_or(ENTRY_BYTES, |slab| slab.object_bytes);
    let negative = span.first.dentries.and_then(|first| first.negative).zip(dentries.negative);
    let pressure = evidence.span(|reading| &reading.cpu).ok();
    let pressure = pressure.and_then(|span| stalled(&span, |cpu| cpu.pressure_memory.as_ref()));
    let stalls = rate_of_all(span, "allocstall");
    let entries = slab.map_or(dentries.total, |slab| slab.objects);
    Ok(Seen {
        entries,
        bytes: entries.saturating_mul(size),
        negative: dentries.negative,
        negative_per_s: negative.map(|(first, last)| per_second(first, last, span.seconds).unwrap_or(0.0)),
        reclaimable: share(facts, "SReclaimable").ok_or_else(|| meminfo("SReclaimable"))?,
        available: available(facts).ok_or_else(|| meminfo("MemAvailable"))?,
        free: share(facts, "MemFree").ok_or_else(|| meminfo("MemFree"))?,
        is_full: is_full(facts).unwrap_or(false),
        hurts: pressure.is_some_and(|share| share >= PRESSURE)
            || stalls.is_some_and(|rate| rate >= STALLS_PER_S)
            || rate(span, "workingset_refault_file").is_some_and(|rate| rate >= PROBES_PER_S),
        cache_pressure: facts.vfs_cache_pressure,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count of entries")]
fn line(seen: &Seen) -> String {
    let negative = seen
        .negative_per_s
        .filter(|rate| *rate >= 1.0)
        .map_or_else(String::new, |rate| format!("; {}/s of absent names", number_text(rate.round())));
    format!(
        "{} entries take {}{negative}; {} % of memory free",
        number_text(seen.entries as f64),
        bytes_text(seen.bytes),
        number_text(percent(seen.free))
    )
}

fn observations(seen: &Seen) -> Vec<Observation> {
    let mut seen_all = vec![
        Observation::new("/proc/slabinfo", "dentry objects", seen.entries).unit("entries"),
        Observation::new("/proc/slabinfo", "dentry objects × size", seen.bytes).unit("bytes"),
        Observation::new("/proc/meminfo", "SReclaimable", percent(seen.reclaimable)).unit("%"),
        Observation::new("/proc/meminfo", "MemAvailable", percent(seen.available)).unit("%"),
        Observation::new("/proc/meminfo", "MemFree", percent(seen.free)).unit("%"),
    ];
    seen_all.extend(
        seen.negative
            .map(|count| Observation::new("/proc/sys/fs/dentry-state", "negative", count).unit("entries")),
    );
    seen_all
}

fn prober(seen: &Seen) -> Remedy {
    let rate = seen.negative_per_s.unwrap_or(0.0);
    let target = Derived::new("look up fewer names that do not exist", "growth of negative entries / s")
        .input("negative entries", format!("{rate:.0}/s"), "/proc/sys/fs/dentry-state");
    let place = "the program that looks for them (include paths, class loaders, scanners, overlay layers)";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target);
    Remedy::new("Find what looks for names that do not exist", "negative entries stop growing").change(change)
}

/// 100 × the share of reclaimable slabs over the share they may have, between 150 and 200.
fn pressure(seen: &Seen, evidence: &Evidence) -> Remedy {
    const KEY: &str = "vm.vfs_cache_pressure";
    let value = (100.0 * seen.reclaimable / LARGE).clamp(150.0, 200.0).round();
    let target = Derived::new(value, "min(max(100 × SReclaimable share / 0.25, 150), 200)")
        .input("SReclaimable share", format!("{:.2}", seen.reclaimable), "/proc/meminfo")
        .input("MemFree share", format!("{:.2}", seen.free), "/proc/meminfo");
    let change = Change::sysctl(KEY, seen.cache_pressure.map(|value| value.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("acts only while memory is reclaimed; far above 200 reclaim searches for entries that are not there");
    Remedy::new("Let reclaim take entries sooner than pages", "SReclaimable falls below 25 % of memory")
        .change(change)
}
