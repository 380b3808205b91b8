//! A network interface loses packets on the way in.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nic::rates::{Rates, rates};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nic.receive-drops",
    title: "A network interface loses received packets",
    document: include_str!("receive_drops.md"),
    test,
};

/// Fewer overflows per second than this are a single burst in the window.
const LEAST_OVERFLOWS_PER_S: f64 = 1.0;
/// Frames of protocols that nothing here speaks (LLDP, spanning tree) count as `rx_dropped` too: a few per second.
const LEAST_DROPPED_PER_S: f64 = 10.0;
/// And they are a thousandth of no traffic that matters.
const LEAST_DROPPED_SHARE: f64 = 0.001;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.nic)?;
    let lost = rates(&span).iter().filter_map(loss).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((per_s, name, counter)) = lost else {
        return Ok(Presence::new(false, "no interface counts a loss"));
    };
    let summary = format!("{name} loses {} packets/s ({counter})", number_text(per_s));
    let seen =
        Observation::new("/sys/class/net, ETHTOOL_GSTATS", format!("{name} {counter}"), per_s).unit("/s");
    Ok(Presence::new(true, summary).seen(seen))
}

fn loss(rates: &Rates) -> Option<(f64, String, String)> {
    let name = rates.interface.name.clone();
    let overflow = rates.overflow().filter(|overflow| overflow.per_s >= LEAST_OVERFLOWS_PER_S);
    if let Some(overflow) = overflow {
        return Some((overflow.per_s, name, overflow.name.clone()));
    }
    let dropped = rates.receive_dropped_per_s.filter(|dropped| *dropped >= LEAST_DROPPED_PER_S)?;
    let share = dropped / (rates.receive_packets_per_s.unwrap_or(0.0) + dropped);
    (share >= LEAST_DROPPED_SHARE).then(|| (dropped, name, "rx_dropped".to_owned()))
}
