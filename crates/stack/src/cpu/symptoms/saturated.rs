//! The CPUs have no time left.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::shares::{self, percent};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cpu.saturated",
    title: "CPUs are at their limit",
    document: include_str!("saturated.md"),
    test,
};

/// Below this share of free time tasks wait whatever their number.
const NO_TIME_LEFT: f64 = 0.10;
/// Below this share they wait when the pressure says so.
const LITTLE_TIME_LEFT: f64 = 0.25;
/// From this share of time with a task waiting for a CPU on.
const PRESSURE: f64 = 0.25;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let stalled = shares::stalled(&span, |cpu| cpu.pressure_cpu.as_ref());
    let pressed = stalled.is_some_and(|share| share >= PRESSURE) && total.free() < LITTLE_TIME_LEFT;
    let pressure = stalled.map_or_else(String::new, |share| {
        format!("; a task waited {} % of the time", number_text(percent(share)))
    });
    let summary = format!("CPUs were {} % free{pressure}", number_text(percent(total.free())));
    let presence = Presence::new(total.free() < NO_TIME_LEFT || pressed, summary)
        .seen(Observation::new("/proc/stat", "cpu idle + iowait", percent(total.free())).unit("%"))
        .seen(Observation::new("/proc/stat", "cpu steal", percent(total.steal)).unit("%"));
    Ok(match stalled {
        Some(share) => {
            presence.seen(Observation::new("/proc/pressure/cpu", "some", percent(share)).unit("%"))
        }
        None => presence,
    })
}
