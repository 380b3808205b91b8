//! CPU times that cannot be true together.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::cpu::shares::{self, percent};
use crate::{Cause, Evidence, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "cpu.reading-inconsistent",
    title: "CPU times contradict each other",
    explains: &[],
    refutes: &[],
    document: include_str!("reading_inconsistent.md"),
    test,
};

/// Ticks per second (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;
/// A CPU may count this part of the window too much: idle time is measured, all other time is sampled by the tick.
const TOLERANCE: f64 = 0.007;
/// And so many ticks, whatever the window: the readings are not taken at one instant.
const TOLERANCE_TICKS: f64 = 10.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let cpus = shares::per_cpu(&span);
    let elapsed = span.seconds * TICKS_PER_S;
    let excess = |ticks: u64| as_number(ticks) - elapsed;
    // What every CPU counts too much is the reading's own delay between the clock and the file.
    let common = cpus.iter().map(|(_, shares)| excess(shares.ticks)).fold(f64::INFINITY, f64::min);
    let common = if cpus.len() > 1 { common.max(0.0) } else { 0.0 };
    let allowed = elapsed * TOLERANCE + TOLERANCE_TICKS + common;
    let wrong: Vec<_> = cpus.iter().filter(|(_, shares)| excess(shares.ticks) > allowed).collect();
    let together: u64 = cpus.iter().map(|(_, shares)| shares.ticks).fold(0, u64::saturating_add);
    let most = as_number(total.ticks) * (1.0 + TOLERANCE) + TOLERANCE_TICKS + as_number(cpus.len() as u64);
    if let Some((cpu, shares)) = wrong.first() {
        let summary = format!(
            "cpu{cpu} counts {} ticks in {}: its columns make {} %",
            number_text(as_number(shares.ticks)),
            number_text(elapsed.round()),
            number_text(percent(as_number(shares.ticks) / elapsed))
        );
        let seen = wrong.iter().take(8).map(|(cpu, shares)| {
            Observation::new("/proc/stat", format!("cpu{cpu}, all columns"), shares.ticks).unit("ticks")
        });
        return Ok(Outcome::confirmed(Severity::Hygiene, summary).seen_all(seen));
    }
    if as_number(together) > most {
        let summary = format!(
            "the CPUs count {} ticks together, the line of all of them {}",
            number_text(as_number(together)),
            number_text(as_number(total.ticks))
        );
        return Ok(Outcome::confirmed(Severity::Hygiene, summary));
    }
    Ok(Outcome::ruled_out(format!("the columns of {} make up the time that passed", wording::cpus_in(&cpus))))
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a window")]
fn as_number(ticks: u64) -> f64 {
    ticks as f64
}
