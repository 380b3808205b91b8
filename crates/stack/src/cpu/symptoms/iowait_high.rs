//! The I/O-wait figure is high.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::shares::{self, percent};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cpu.iowait-high",
    title: "CPUs wait for I/O",
    document: include_str!("iowait_high.md"),
    test,
};

/// From this share of all CPU time on, the figure stands out of what a host with a busy disk cache shows.
const HIGH: f64 = 0.05;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let summary = format!("iowait is {} % of CPU time", number_text(percent(total.iowait)));
    let seen = Observation::new("/proc/stat", "cpu iowait", percent(total.iowait)).unit("%");
    Ok(Presence::new(total.iowait >= HIGH, summary).seen(seen))
}
