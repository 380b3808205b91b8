//! The soft interrupts of each CPU, and the per-CPU backlog queue.

use model::Station;

use super::rates::{CpuRates, rates, softirq_shares};
use crate::Evidence;

/// A CPU that spends less of its time in soft interrupts holds nothing back.
const MEASURABLE: f64 = 0.005;

/// Every CPU with a measurable share of soft interrupts, and the backlog queue where its limit is known or met.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let cpus = rates(evidence).unwrap_or_default();
    let shares = softirq_shares(evidence);
    let measurable = shares.iter().filter(|(_, share)| *share >= MEASURABLE);
    let mut stations: Vec<_> = measurable.map(|(cpu, share)| softirq(*cpu, *share, &cpus)).collect();
    stations.extend(backlog(evidence, &cpus));
    stations
}

fn softirq(cpu: u32, share: f64, cpus: &[CpuRates]) -> Station {
    let packets = cpus.iter().find(|rates| rates.cpu == cpu).map(|rates| rates.processed_per_s);
    Station {
        servers: Some(1.0),
        arrivals_per_s: packets,
        service_s: packets.filter(|packets| *packets > 0.0).map(|packets| share / packets),
        busy: Some(share),
        ..Station::new("irq", format!("irq.softirq:cpu{cpu}"), format!("soft interrupts of CPU {cpu}"))
    }
}

/// One station for the host: the deepest queue seen on any CPU against the limit that each CPU has for itself.
#[expect(clippy::cast_precision_loss, reason = "packets in a queue")]
fn backlog(evidence: &Evidence, cpus: &[CpuRates]) -> Option<Station> {
    let limit =
        evidence.settings.number("net.core.netdev_max_backlog").and_then(|limit| u32::try_from(limit).ok());
    let readings = evidence.readings.iter().filter_map(|reading| reading.irq.facts());
    let deepest = readings.flat_map(|irq| irq.softnet.iter().filter_map(|row| row.backlog)).max();
    let lost: f64 = cpus.iter().map(|cpu| cpu.dropped_per_s - cpu.flow_limited_per_s).sum();
    (!cpus.is_empty() && (limit.is_some() || lost > 0.0)).then(|| Station {
        servers: limit.map(f64::from),
        busy: deepest.filter(|_| limit.is_some()).map(|deepest| deepest as f64),
        waiting: deepest.map(|deepest| deepest as f64),
        lost_per_s: Some(lost.max(0.0)),
        ..Station::new("irq", "irq.backlog", "packets that wait for one CPU (netdev_max_backlog)")
    })
}
