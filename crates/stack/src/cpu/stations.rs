//! All CPUs together are one station.

use model::Station;

use super::shares;
use crate::{Evidence, wording};

/// The CPUs: as many servers as are online, busy as long as they ran something of this host.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(span) = evidence.span(|reading| &reading.cpu) else { return vec![] };
    let (Some(servers), Some(total)) = (shares::count(span.last), shares::total(&span)) else {
        return vec![];
    };
    let busy = total.busy() * servers;
    let waiting = shares::waiting(&span).or_else(|| counted_waiting(evidence, busy));
    vec![Station {
        servers: Some(servers),
        busy: Some(busy),
        waiting,
        ..Station::new("cpu", "cpu.cpus", wording::cpus(servers))
    }]
}

/// Tasks running or ready, as the readings counted them, without those that ran and without this program itself.
#[expect(clippy::cast_precision_loss, reason = "a count of tasks")]
fn counted_waiting(evidence: &Evidence, busy: f64) -> Option<f64> {
    let facts = evidence.readings.iter().filter_map(|reading| reading.cpu.facts());
    let counts: Vec<f64> = facts.filter_map(|cpu| cpu.running).map(|count| count as f64 - 1.0).collect();
    (!counts.is_empty()).then(|| (counts.iter().sum::<f64>() / counts.len() as f64 - busy).max(0.0))
}
