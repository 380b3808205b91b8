//! Tasks wait for memory.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::shares::{percent, stalled};
use crate::memory::rates::{no_counter, rate_of_all};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "memory.pressure",
    title: "Tasks wait for memory",
    document: include_str!("pressure.md"),
    test,
};

/// From this share of the window with a task stalled on memory on.
const PRESSURE: f64 = 0.10;
/// Without pressure figures: from this many direct reclaims per second on.
const STALLS_PER_S: f64 = 10.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let pressure = evidence.span(|reading| &reading.cpu).ok();
    if let Some(share) = pressure.and_then(|span| stalled(&span, |cpu| cpu.pressure_memory.as_ref())) {
        let summary = format!("a task waited for memory {} % of the time", number_text(percent(share)));
        let seen = Observation::new("/proc/pressure/memory", "some", percent(share)).unit("%");
        return Ok(Presence::new(share >= PRESSURE, summary).seen(seen));
    }
    let span = evidence.span(|reading| &reading.memory)?;
    let stalls = rate_of_all(&span, "allocstall").ok_or_else(|| no_counter("allocstall"))?;
    let summary = format!("{} allocations/s had to free memory first", number_text(stalls));
    let seen = Observation::new("/proc/vmstat", "allocstall", stalls).unit("/s");
    Ok(Presence::new(stalls >= STALLS_PER_S, summary).seen(seen))
}
