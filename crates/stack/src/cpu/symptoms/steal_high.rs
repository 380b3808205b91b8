//! The hypervisor withholds CPU time.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::shares::{self, percent};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cpu.steal-high",
    title: "The hypervisor withholds CPU time",
    document: include_str!("steal_high.md"),
    test,
};

/// From this share on, one request in ten that needs a CPU finds it taken away.
pub(crate) const HIGH: f64 = 0.10;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let mut presence = Presence::new(
        total.steal >= HIGH,
        format!("steal is {} % of CPU time", number_text(percent(total.steal))),
    )
    .seen(Observation::new("/proc/stat", "cpu steal", percent(total.steal)).unit("%"));
    let most = shares::per_cpu(&span).into_iter().max_by(|(_, a), (_, b)| a.steal.total_cmp(&b.steal));
    if let Some((cpu, most)) = most.filter(|(_, most)| most.steal > 0.0) {
        presence = presence
            .seen(Observation::new("/proc/stat", format!("cpu{cpu} steal"), percent(most.steal)).unit("%"));
    }
    Ok(presence)
}
