//! A control group that reaches its memory limit.

use model::counter::growth;
use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cgroup::Group;
use crate::cgroup::rates::{held_share, pairs};
use crate::cgroup::unit::setting;
use crate::cpu::shares::percent;
use crate::memory::rates::bytes_text;
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "cgroup.memory-limit-reached",
    title: "A control group reaches its memory limit",
    explains: &["memory.pressure"],
    refutes: &[],
    document: include_str!("memory_limit_reached.md"),
    test,
};

/// From this share of the limit that cannot be given back on, there is no room.
const FULL: f64 = 0.9;

/// What a group met within the window. The variants are ordered from the mildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    Nothing,
    KilledEarlier,
    FilePagesGivenBack,
    NearlyFull,
    ReclaimAtTheLimit,
    Killed,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cgroup)?;
    let mut groups: Vec<_> = pairs(&span).map(|(first, last)| (met(first, last), first, last)).collect();
    // Events of a group count in all its ancestors as well: the group with the limit is the one that met it.
    groups.sort_by_key(|(met, _, last)| (std::cmp::Reverse(*met), last.memory_max_bytes.is_none()));
    let Some((met, first, last)) = groups.first() else {
        return Ok(Outcome::ruled_out(format!(
            "no memory limit on any group ({} looked at)",
            span.last.looked_at
        )));
    };
    let line = line(first, last);
    let outcome = match met {
        Met::Killed => Outcome::confirmed(Severity::Breaking, line),
        Met::ReclaimAtTheLimit => Outcome::confirmed(Severity::Limiting, line),
        Met::NearlyFull => {
            let times = 1.0 / held_share(last).unwrap_or(1.0);
            Outcome::confirmed(Severity::Latent, format!("{line}; breaks at {}× that", number_text(times)))
        }
        Met::FilePagesGivenBack => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "a sign that someone waits",
            "the limit was met by file pages, which are given back",
        )),
        Met::KilledEarlier => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "a kill within the window",
            "see `journalctl -k` for when it was and what was killed",
        )),
        Met::Nothing => return Ok(Outcome::ruled_out("no group met its memory limit")),
    };
    let hurt = groups.iter().filter(|(met, ..)| *met >= Met::NearlyFull).take(4);
    let memory = evidence.host.memory_bytes;
    let remedy = together(hurt.filter_map(|(met, _, last)| remedy(*met, last, memory)));
    let outcome = remedy.into_iter().fold(outcome, Outcome::remedy);
    let shown = groups.iter().filter(|(met, ..)| *met > Met::Nothing).take(8);
    Ok(outcome.seen_all(shown.flat_map(|(_, first, last)| observations(first, last))))
}

fn grown(first: Option<u64>, last: Option<u64>) -> u64 {
    first.zip(last).and_then(|(first, last)| growth(first, last)).unwrap_or(0)
}

fn met(first: &Group, last: &Group) -> Met {
    let limit_events = grown(first.memory_max_events, last.memory_max_events)
        .max(grown(first.memory_high_events, last.memory_high_events));
    let full = held_share(last).is_some_and(|share| share >= FULL);
    if grown(first.oom_kills, last.oom_kills) > 0 {
        Met::Killed
    } else if limit_events > 0 && full {
        Met::ReclaimAtTheLimit
    } else if full {
        Met::NearlyFull
    } else if limit_events > 0 {
        Met::FilePagesGivenBack
    } else if last.oom_kills.is_some_and(|kills| kills > 0) {
        Met::KilledEarlier
    } else {
        Met::Nothing
    }
}

fn line(first: &Group, last: &Group) -> String {
    let held = last.memory_bytes.zip(last.memory_max_bytes).map_or_else(String::new, |(bytes, limit)| {
        let held = held_share(last)
            .map_or_else(String::new, |share| format!(", {} % held", number_text(percent(share))));
        format!(" has {} of {}{held}", bytes_text(bytes), bytes_text(limit))
    });
    let kills = last.oom_kills.filter(|kills| *kills > 0).map_or_else(String::new, |kills| {
        format!("; {} of {kills} kills in this window", grown(first.oom_kills, last.oom_kills))
    });
    let events = grown(first.memory_max_events, last.memory_max_events);
    let events = if events > 0 {
        format!("; limit met {} times", number_text(as_number(events)))
    } else {
        String::new()
    };
    format!("{}{held}{kills}{events}", last.path)
}

#[expect(clippy::cast_precision_loss, reason = "events of a window")]
fn as_number(count: u64) -> f64 {
    count as f64
}

fn observations(first: &Group, last: &Group) -> Vec<Observation> {
    let events = [
        ("oom_kill", first.oom_kills, last.oom_kills),
        ("max", first.memory_max_events, last.memory_max_events),
        ("high", first.memory_high_events, last.memory_high_events),
    ];
    let bytes = [
        ("memory.current", last.memory_bytes),
        ("memory.max", last.memory_max_bytes),
        ("file pages and reclaimable slabs", last.memory_reclaimable_bytes),
    ];
    let of = |field: &str| format!("{} {field}", last.path);
    let bytes = bytes
        .into_iter()
        .filter_map(|(field, value)| Some(Observation::new("cgroup", of(field), value?).unit("bytes")));
    let events = events.into_iter().filter_map(|(field, first, last)| {
        Some(Observation::new("memory.events", of(field), growth(first?, last?)?).unit("events"))
    });
    bytes.chain(events).collect()
}

/// One and a half times what the group holds; after a kill it held the whole limit, whatever it holds now. `None` where
/// the limit is beyond nine tenths of the host's memory already.
fn remedy(met: Met, group: &Group, memory: Option<u64>) -> Option<Remedy> {
    let (limit, bytes) = (group.memory_max_bytes?, group.memory_bytes?);
    let held = match met {
        Met::Killed => limit,
        _ => bytes.saturating_sub(group.memory_reclaimable_bytes.unwrap_or(0)).min(limit),
    };
    let most = memory.map_or(u64::MAX, |memory| memory / 10 * 9);
    let mebibytes = (held.saturating_add(held / 2).min(most) >> 20).max((limit >> 20) + 1);
    if mebibytes > most >> 20 {
        return None;
    }
    // Reclaim that begins below what is held would never end.
    let high = mebibytes.saturating_mul(9) / 10;
    let mut settings = vec![format!("MemoryMax={mebibytes}M")];
    settings.extend((high > held >> 20).then(|| format!("MemoryHigh={high}M")));
    let target = Derived::new(
        settings.join(" "),
        "1.5 × (limit after a kill, else current − reclaimable), above the limit, at most 0.9 × memory; \
         reclaim begins a tenth below, where that is above what is held",
    )
    .input("current", bytes, "memory.current")
    .input("reclaimable", group.memory_reclaimable_bytes.unwrap_or(0), "memory.stat")
    .input("limit", limit, "memory.max")
    .input("memory", memory.map_or_else(|| "unknown".to_owned(), bytes_text), "/proc/meminfo MemTotal");
    let what = setting(&group.path, settings);
    let change = Change::new(what, Some(format!("MemoryMax={}M", limit >> 20)), target)
        .persists_by("a drop-in of the unit, or the limit in the container's own configuration")
        .risks("the host must have the memory: compare with MemAvailable");
    let moves = format!("oom_kill and max of {} stand still", group.path);
    Some(Remedy::new(format!("Give {} more memory", group.path), moves).change(change))
}
