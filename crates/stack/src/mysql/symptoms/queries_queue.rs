//! Far more statements run than there are CPUs.

use model::Missing;
use model::observation::number_text;

use crate::mysql::beside::cpus;
use crate::mysql::symptoms::worst;
use crate::mysql::view::{STATUS, View};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "mysql.queries-queue",
    title: "Statements of the database wait for each other",
    document: include_str!("queries_queue.md"),
    test,
};

/// From so many for each CPU on, at both ends of the window.
const PER_CPU: f64 = 4.0;
/// Fewer are no queue, on however few CPUs.
const QUEUE: f64 = 16.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    worst(evidence, of)
}

fn of(view: &View<'_>) -> Result<Presence, Missing> {
    let running = view.at_least("Threads_running")?;
    let limit = match view.is_here() {
        true if running < QUEUE => QUEUE,
        true => QUEUE.max(PER_CPU * cpus(view.evidence)?),
        // The CPUs of a server elsewhere are not known: so many are a queue on most.
        false => QUEUE * PER_CPU,
    };
    let line = format!("{}: {} statements run at both ends of the window", view.name(), number_text(running));
    Ok(Presence::new(running >= limit, line).seen(view.seen(STATUS, "Threads_running", running)))
}
