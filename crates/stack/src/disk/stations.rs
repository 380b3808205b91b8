//! Each real disk that did anything is a station: of one server, or of a number that nobody knows.

use model::Station;

use super::rates::{Rates, rates};
use crate::Evidence;

/// Every disk that was used over the window.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(span) = evidence.span(|reading| &reading.disk) else { return vec![] };
    let used = |disk: &Rates| !disk.is_virtual && disk.requests_per_s > 0.0;
    rates(&span).into_iter().filter(used).map(|disk| station(&disk)).collect()
}

/// A disk that serves requests side by side, and fast, has more servers than one: how many, it does not say.
fn station(disk: &Rates) -> Station {
    Station {
        servers: (!disk.is_parallel() || disk.is_slow()).then_some(1.0),
        arrivals_per_s: Some(disk.requests_per_s),
        service_s: (disk.requests_per_s > 0.0).then(|| disk.busy / disk.requests_per_s),
        busy: Some(disk.busy),
        waiting: Some((disk.in_flight - disk.busy).max(0.0)),
        ..Station::new("disk", format!("disk.device:{}", disk.name), format!("disk {}", disk.name))
    }
}
