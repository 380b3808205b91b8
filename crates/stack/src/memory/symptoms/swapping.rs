//! Pages are swapped.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::memory::rates::{no_counter, swapping};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "memory.swapping",
    title: "Pages are swapped",
    document: include_str!("swapping.md"),
    test,
};

/// From this many pages per second, in and out together, on.
const PAGES_PER_S: f64 = 10.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.memory)?;
    let swapping = swapping(&span).ok_or_else(|| no_counter("pswpin"))?;
    let summary = format!(
        "{} pages/s swapped in, {} pages/s out",
        number_text(swapping.in_per_s),
        number_text(swapping.out_per_s)
    );
    let seen = |field: &str, rate: f64| Observation::new("/proc/vmstat", field, rate).unit("/s");
    Ok(Presence::new(swapping.in_per_s + swapping.out_per_s >= PAGES_PER_S, summary)
        .seen(seen("pswpin", swapping.in_per_s))
        .seen(seen("pswpout", swapping.out_per_s)))
}
