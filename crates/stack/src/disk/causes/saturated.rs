//! A disk that is at its limit.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::disk::rates::{Rates, rates};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "disk.saturated",
    title: "A disk is at its limit",
    explains: &["cpu.iowait-high", "disk.latency-high"],
    refutes: &[],
    document: include_str!("saturated.md"),
    test,
};

/// From this share of busy time on, requests queue: at 80 % an M/M/1 queue holds 4 requests.
const BUSY: f64 = 0.8;
/// Below this share a disk explains no wait.
const IDLE: f64 = 0.05;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.disk)?;
    let mut disks: Vec<_> = rates(&span).into_iter().filter(|disk| !disk.is_virtual).collect();
    disks.sort_by(|a, b| b.busy.total_cmp(&a.busy));
    let Some(busiest) = disks.first() else {
        return Ok(Outcome::ruled_out("this host has no disk of its own"));
    };
    let outcome = match (busiest.busy, busiest.is_slow()) {
        (busy, true) if busy >= BUSY => Outcome::confirmed(Severity::Limiting, line(busiest)).remedy(remedy(busiest)),
        (busy, false) if busy >= BUSY => Outcome::consistent(Severity::Latent, line(busiest)).lacks(Missing::new(
            "a latency that shows queueing",
            "a disk that serves in parallel may be busy all the time and have room; compare with its rated IOPS",
        )),
        (busy, _) if busy >= IDLE => Outcome::ruled_out(format!("{}: not at its limit", line(busiest))),
        _ => Outcome::ruled_out(format!("every disk idle; busiest {}", line(busiest))),
    };
    Ok(outcome.seen_all(disks.iter().take(8).flat_map(observations)))
}

fn line(disk: &Rates) -> String {
    let latency =
        disk.latency_ms.map_or_else(|| "no requests".to_owned(), |ms| format!("{} ms", number_text(ms)));
    format!("{} {} % busy, {latency}", disk.name, number_text((disk.busy * 1000.0).round() / 10.0))
}

fn observations(disk: &Rates) -> Vec<Observation> {
    let source = "/proc/diskstats";
    let seen = |field: &str, value: f64, unit| {
        Observation::new(source, format!("{} {field}", disk.name), value).unit(unit)
    };
    let mut seen_all = vec![
        seen("io_ticks", disk.busy * 100.0, "%"),
        seen("completed", disk.requests_per_s, "/s"),
        seen("in flight", disk.in_flight, "requests"),
    ];
    seen_all.extend(disk.latency_ms.map(|latency| seen("time per request", latency, "ms")));
    seen_all
}

fn remedy(disk: &Rates) -> Remedy {
    let target =
        Derived::new("find and move the reader or writer", "busy ≥ 80 % and latency ≥ the disk's own")
            .input("busy", format!("{:.0} %", disk.busy * 100.0), "/proc/diskstats io_ticks")
            .input("latency", format!("{:.1} ms", disk.latency_ms.unwrap_or_default()), "/proc/diskstats");
    let change = Change::new(
        ChangeKind::Elsewhere { place: format!("what reads or writes {}", disk.name) },
        None,
        target,
    )
    .risks("a bigger or faster disk moves the limit; fewer requests remove it");
    Remedy::new(format!("Take load off {}", disk.name), format!("{} busy falls below 80 %", disk.name))
        .change(change)
}
