//! What a disk did over the window.

use model::counter::{growth, per_second};

use super::{Device, Facts};
use crate::Span;

/// The work of one whole disk over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// The disk's name.
    pub name: String,
    /// Share of the time with at least one request in flight, 0 to 1. On a disk that serves requests in parallel
    /// (NVMe, RAID) 1 does not mean that it is at its limit: look at the latency as well.
    pub busy: f64,
    /// Requests completed per second.
    pub requests_per_s: f64,
    /// Milliseconds a request took, queueing included; `None` without requests.
    pub latency_ms: Option<f64>,
    /// Requests in flight, on average (Little's law over `weighted_ms`).
    pub in_flight: f64,
    /// Whether the device is virtual (loop, ram, zram), so that its time is another device's or none.
    pub is_virtual: bool,
    /// Whether it says it has rotating platters.
    pub rotational: Option<bool>,
}

/// A request to a solid-state disk that takes longer has queued (a read of NVMe takes 0.1 ms, of a network disk 1 ms).
const SLOW_SOLID_MS: f64 = 5.0;
/// The same with rotating platters, where a seek alone takes 4 to 9 ms.
const SLOW_ROTATING_MS: f64 = 25.0;

impl Rates {
    /// Whether requests took so long that they must have queued.
    pub fn is_slow(&self) -> bool {
        let slow_ms = if self.rotational == Some(true) { SLOW_ROTATING_MS } else { SLOW_SOLID_MS };
        self.latency_ms.is_some_and(|latency| latency >= slow_ms)
    }

    /// Whether it serves requests side by side, as far as it says: then a busy share is no share of its limit. A disk of
    /// virtio or Xen may stand on anything, and most call themselves rotating.
    pub fn is_parallel(&self) -> bool {
        let of_a_hypervisor = ["vd", "xvd"].iter().any(|prefix| self.name.starts_with(prefix));
        self.rotational == Some(false) || (of_a_hypervisor && self.in_flight > self.busy * 1.5)
    }
}

/// The work of every whole disk; a disk whose counters went backwards is left out.
pub fn rates(span: &Span<Facts>) -> Vec<Rates> {
    let whole = span.last.devices.iter().filter(|device| device.whole);
    whole
        .filter_map(|last| {
            rate(span.first.devices.iter().find(|first| first.name == last.name)?, last, span.seconds)
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a window")]
fn rate(first: &Device, last: &Device, seconds: f64) -> Option<Rates> {
    let requests = growth(first.reads, last.reads)?.saturating_add(growth(first.writes, last.writes)?);
    let spent_ms =
        growth(first.read_ms, last.read_ms)?.saturating_add(growth(first.write_ms, last.write_ms)?);
    Some(Rates {
        name: last.name.clone(),
        busy: (per_second(first.busy_ms, last.busy_ms, seconds)? / 1000.0).min(1.0),
        requests_per_s: requests as f64 / seconds,
        latency_ms: (requests > 0).then(|| spent_ms as f64 / requests as f64),
        in_flight: per_second(first.weighted_ms, last.weighted_ms, seconds)? / 1000.0,
        is_virtual: ["loop", "ram", "zram"].iter().any(|prefix| last.name.starts_with(prefix)),
        rotational: last.rotational,
    })
}

/// The busiest real disk's share of busy time, 0 to 1; 0 on a host without disks.
pub fn busiest(span: &Span<Facts>) -> f64 {
    rates(span).iter().filter(|disk| !disk.is_virtual).map(|disk| disk.busy).fold(0.0, f64::max)
}
