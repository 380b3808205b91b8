//! Tasks that free memory before they get any.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{percent, stalled};
use crate::memory::rates::{available, no_counter, rate, rate_of_all};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.reclaim-stalls",
    title: "The working set does not fit memory",
    explains: &["memory.pressure", "cpu.iowait-high", "disk.latency-high"],
    refutes: &[],
    document: include_str!("reclaim_stalls.md"),
    test,
};

/// From this share of the window with a task stalled on memory on, it is felt.
const PRESSURE: f64 = 0.10;
/// From this many allocations per second that had to free memory on.
const STALLS_PER_S: f64 = 10.0;
/// From this many pages per second that were dropped and wanted again on (4 KiB each: 4 MB/s).
const REFAULTS_PER_S: f64 = 1000.0;

struct Seen {
    pressure: Option<f64>,
    stalls: f64,
    refaults: Option<f64>,
    available: Option<f64>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.memory)?;
    let pressure = evidence.span(|reading| &reading.cpu).ok();
    let seen = Seen {
        pressure: pressure.and_then(|span| stalled(&span, |cpu| cpu.pressure_memory.as_ref())),
        stalls: rate_of_all(&span, "allocstall").ok_or_else(|| no_counter("allocstall"))?,
        // One counter until Linux 5.8, one each for file and anonymous pages since.
        refaults: rate(&span, "workingset_refault").or_else(|| rate_of_all(&span, "workingset_refault_")),
        available: available(span.last),
    };
    let felt = seen.pressure.is_some_and(|share| share >= PRESSURE);
    let stalls = seen.stalls >= STALLS_PER_S;
    let refaults = seen.refaults.is_some_and(|rate| rate >= REFAULTS_PER_S);
    let line = line(&seen);
    let outcome = match (felt, stalls, refaults) {
        (true, true, _) | (true, _, true) | (_, true, true) => {
            Outcome::confirmed(Severity::Limiting, line).remedy(remedy(&seen))
        }
        (true, false, false) => Outcome::consistent(Severity::Limiting, line).lacks(Missing::new(
            "reclaim of the whole host",
            "tasks stall on memory without it: look at cgroup.memory-limit-reached and memory.swap-thrash",
        )),
        (false, true, false) => Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "pages that were dropped and wanted again",
            "allocations freed memory, and nobody missed what was dropped: look again under more load",
        )),
        (false, false, _) => Outcome::ruled_out(line),
    };
    Ok(outcome.seen_all(observations(&seen)))
}

fn line(seen: &Seen) -> String {
    let pressure = seen
        .pressure
        .map_or_else(String::new, |share| format!("stalled {} % of the time; ", number_text(percent(share))));
    let refaults =
        seen.refaults.map_or_else(String::new, |rate| format!(", {} refaults/s", number_text(rate)));
    let available = seen
        .available
        .map_or_else(String::new, |share| format!("; {} % available", number_text(percent(share))));
    format!("{pressure}{} direct reclaims/s{refaults}{available}", number_text(seen.stalls))
}

fn observations(seen: &Seen) -> Vec<Observation> {
    let mut seen_all = vec![Observation::new("/proc/vmstat", "allocstall", seen.stalls).unit("/s")];
    seen_all.extend(
        seen.pressure
            .map(|share| Observation::new("/proc/pressure/memory", "some", percent(share)).unit("%")),
    );
    seen_all.extend(
        seen.refaults.map(|rate| Observation::new("/proc/vmstat", "workingset_refault", rate).unit("/s")),
    );
    seen_all.extend(
        seen.available
            .map(|share| Observation::new("/proc/meminfo", "MemAvailable", percent(share)).unit("%")),
    );
    seen_all
}

fn remedy(seen: &Seen) -> Remedy {
    let target =
        Derived::new("a smaller working set, or more memory", "direct reclaims/s ≥ 10 or refaults/s ≥ 1,000")
            .input("direct reclaims", format!("{:.0}/s", seen.stalls), "/proc/vmstat allocstall")
            .input(
                "refaults",
                format!("{:.0}/s", seen.refaults.unwrap_or(0.0)),
                "/proc/vmstat workingset_refault",
            );
    let place = "what holds memory: worker counts, buffer pools, caches; then the size of the machine";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("no kernel parameter makes room; swap space moves the wait to a device");
    Remedy::new("Make the working set fit memory", "allocstall and workingset_refault stand still")
        .change(change)
}
