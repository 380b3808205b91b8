//! A listen queue turns connections away.

use model::Missing;
use model::observation::number_text;

use crate::sockets::{counters, queues};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "sockets.connections-refused",
    title: "A listen queue turns connections away",
    document: include_str!("connections_refused.md"),
    test,
};

const COUNTERS: [&str; 3] = ["TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.TCPReqQFullDrop"];

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let unix = queues::sampled(evidence, true);
    let full = unix.iter().flatten().find(|depth| queues::was_full(depth));
    let rates = rates(evidence);
    let grown: Vec<_> = rates.iter().flatten().filter(|(_, per_s)| *per_s > 0.0).collect();
    let summary = match (grown.first(), full) {
        (Some((name, per_s)), _) => {
            format!("{} grows by {}/s", name.trim_start_matches("TcpExt."), number_text(*per_s))
        }
        (None, Some(depth)) => format!("{}: connect() fails with errno 11", queues::line(depth)),
        (None, None) => {
            rates.as_ref().map_err(Clone::clone)?;
            "no queue overflowed".to_owned()
        }
    };
    let mut presence = Presence::new(full.is_some() || !grown.is_empty(), summary);
    presence.observations.extend(full.map(|depth| queues::observations(depth)).unwrap_or_default());
    let seen = rates.iter().flatten().map(|(name, per_s)| counters::seen_per_second(name, *per_s));
    presence.observations.extend(seen);
    Ok(presence)
}

/// The growth of every counter that the kernel has; an error when it has none.
fn rates(evidence: &Evidence) -> Result<Vec<(&'static str, f64)>, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let mut rates = Vec::new();
    let mut why = None;
    for name in COUNTERS {
        match counters::per_second(&span, name) {
            Ok(per_s) => rates.push((name, per_s)),
            Err(missing) => why = why.or(Some(missing)),
        }
    }
    match why {
        Some(missing) if rates.is_empty() => Err(missing),
        _ => Ok(rates),
    }
}
