//! Statements take longer than they may.

use model::Missing;
use model::observation::number_text;

use crate::mysql::symptoms::worst;
use crate::mysql::view::{STATUS, View};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "mysql.slow-queries",
    title: "Statements of the database are slow",
    document: include_str!("slow_queries.md"),
    test,
};

/// So many within the window are no accident.
const MANY: f64 = 3.0;
/// From this share of all statements on.
const SHARE: f64 = 0.001;
/// A threshold below this makes statements of no consequence slow ones.
const LEAST_S: f64 = 0.1;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    worst(evidence, of)
}

fn of(view: &View<'_>) -> Result<Presence, Missing> {
    let slow = view.grown("Slow_queries")?;
    let all = view.grown("Questions")?.max(1.0);
    let threshold = view.number("long_query_time");
    let of_what =
        threshold.map_or_else(String::new, |seconds| format!(" took {} s and more", number_text(seconds)));
    let line = format!("{}: {} of {} statements{of_what}", view.name(), number_text(slow), number_text(all));
    let counts = threshold.is_none_or(|seconds| seconds >= LEAST_S);
    Ok(Presence::new(counts && slow >= MANY && slow / all >= SHARE, line).seen(view.seen(
        STATUS,
        "Slow_queries, growth",
        slow,
    )))
}
