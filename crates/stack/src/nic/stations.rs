//! The receive ring of each hardware interface is a station; how full it is, no interface says.

use model::Station;

use super::rates::{Rates, rates};
use crate::Evidence;

/// Every receive ring whose size is known, or that was seen to overflow.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(span) = evidence.span(|reading| &reading.nic) else { return vec![] };
    rates(&span).iter().filter(|rate| rate.interface.is_hardware()).filter_map(station).collect()
}

fn station(rates: &Rates) -> Option<Station> {
    let name = &rates.interface.name;
    let size = rates.interface.ring.as_ref().and_then(|ring| ring.receive);
    let lost_per_s = rates.overflow().map(|overflow| overflow.per_s);
    (size.is_some() || lost_per_s.is_some()).then(|| Station {
        servers: size.map(f64::from),
        arrivals_per_s: rates.receive_packets_per_s,
        lost_per_s,
        ..Station::new("nic", format!("nic.receive-ring:{name}"), format!("receive ring of {name}"))
    })
}
