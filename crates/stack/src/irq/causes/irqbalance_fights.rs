//! irqbalance moves network interrupts while they are measured.

use model::{Missing, Observation, Outcome, Remedy, Severity};

use super::irqbalance::ban;
use crate::irq::rates::{interface_names, vectors};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.irqbalance-fights",
    title: "irqbalance moves network interrupts",
    explains: &[],
    refutes: &[],
    document: include_str!("irqbalance_fights.md"),
    test,
};

struct Moved {
    irq: String,
    name: String,
    from: String,
    to: String,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let tasks = evidence.latest(|reading| &reading.tasks)?;
    if !tasks.commands.contains_key("irqbalance") {
        return Ok(Outcome::ruled_out("irqbalance does not run"));
    }
    let span = evidence.span(|reading| &reading.irq)?;
    let interfaces = interface_names(evidence);
    let (first, last) = (vectors(span.first, &interfaces), vectors(span.last, &interfaces));
    let pairs = last.iter().filter_map(|(last, _)| {
        let (first, _) =
            first.iter().find(|(first, _)| first.label == last.label && first.name == last.name)?;
        Some((first.affinity.clone()?, last.affinity.clone()?, *last))
    });
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return Err(Missing::new(
            "/proc/irq/*/smp_affinity_list of network interrupts",
            "run narrows on the host itself",
        ));
    }
    let count = pairs.len();
    let moved = pairs.into_iter().filter(|(from, to, _)| from != to);
    let moved: Vec<_> = moved
        .map(|(from, to, row)| Moved { irq: row.label.clone(), name: row.name.clone(), from, to })
        .collect();
    if moved.is_empty() {
        let line = format!("irqbalance runs, and left all {count} network interrupts where they were");
        return Ok(Outcome::ruled_out(line));
    }
    let line = format!(
        "irqbalance runs; {} of {count} network interrupts moved in {:.0} s",
        moved.len(),
        span.seconds
    );
    let outcome =
        Outcome::confirmed(Severity::Hygiene, line).seen_all(moved.iter().take(16).map(observation));
    Ok(remedy(evidence, &moved).into_iter().fold(outcome, Outcome::remedy))
}

fn observation(moved: &Moved) -> Observation {
    let path = format!("/proc/irq/{}/smp_affinity_list", moved.irq);
    Observation::new(path, moved.name.clone(), format!("{} → {}", moved.from, moved.to))
}

fn remedy(evidence: &Evidence, moved: &[Moved]) -> Option<Remedy> {
    let irqs: Vec<_> = moved.iter().map(|moved| moved.irq.clone()).collect();
    let promise = "smp_affinity_list stays as it is from one reading to the next";
    Some(Remedy::new("Ban network interrupts from irqbalance", promise).change(ban(evidence, &irqs)?))
}
