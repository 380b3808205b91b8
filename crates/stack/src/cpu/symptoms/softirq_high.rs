//! One CPU spends its time in soft interrupts.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::shares::{self, percent};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cpu.softirq-high",
    title: "One CPU is busy with soft interrupts",
    document: include_str!("softirq_high.md"),
    test,
};

/// From this share of one CPU's time on: most kernels sample it with the timer tick, which misses part of it.
const HIGH: f64 = 0.40;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let cpus = shares::per_cpu(&span);
    let most = cpus.iter().max_by(|(_, a), (_, b)| a.softirq.total_cmp(&b.softirq));
    let (cpu, most) = most.ok_or_else(shares::no_ticks)?;
    #[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
    let mean = cpus.iter().map(|(_, shares)| shares.softirq).sum::<f64>() / cpus.len() as f64;
    let summary = format!(
        "cpu{cpu} spends {} % in soft interrupts, the mean CPU {} %",
        number_text(percent(most.softirq)),
        number_text(percent(mean))
    );
    let seen = |field: String, share: f64| Observation::new("/proc/stat", field, percent(share)).unit("%");
    Ok(Presence::new(most.softirq >= HIGH, summary)
        .seen(seen(format!("cpu{cpu} softirq"), most.softirq))
        .seen(seen(format!("cpu{cpu} idle + iowait"), most.free())))
}
