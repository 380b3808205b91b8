//! A CPU drops packets because its backlog queue is full.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::irq::rates::rates;
use crate::{Evidence, Presence, Symptom, wording};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "irq.packets-dropped",
    title: "CPUs drop packets before the protocols see them",
    document: include_str!("packets_dropped.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let cpus = rates(evidence)?;
    let worst = cpus.iter().max_by(|a, b| a.dropped_per_s.total_cmp(&b.dropped_per_s));
    let Some(worst) = worst else {
        return Err(Missing::new("/proc/net/softnet_stat of two readings", "run narrows on the host itself"));
    };
    let total: f64 = cpus.iter().map(|cpu| cpu.dropped_per_s).sum();
    let summary = if total > 0.0 {
        format!("{} packets/s dropped, most on CPU {}", number_text(total), worst.cpu)
    } else {
        format!("none of {} dropped a packet", wording::cpus_in(&cpus))
    };
    let seen = Observation::new("/proc/net/softnet_stat", "dropped (column 2)", total).unit("/s");
    Ok(Presence::new(total > 0.0, summary).seen(seen))
}
