//! Each listen queue that was used, and the local ports towards each destination.

use host::kernel::Family;
use model::Station;

use super::ports::{Taken, taken};
use super::{counters, queues};
use crate::Evidence;
use crate::samples::ListenerDepth;

/// Destinations shown, fullest first.
const DESTINATIONS: usize = 8;

/// Every queue that held more than a connection on its way to accept(), and the fullest destinations.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let used = |depth: &&ListenerDepth| depth.most > 1 || queues::was_full(depth);
    let lost_per_s = attributed_loss(evidence);
    let lost = |depth: &ListenerDepth| {
        lost_per_s.filter(|_| depth.family != Family::Unix && queues::was_full(depth))
    };
    let depths = evidence.samples.listeners.iter().filter(used);
    let mut all: Vec<_> = depths.filter_map(|depth| listen_queue(depth, lost(depth))).collect();
    let fullest = taken(evidence).unwrap_or_default();
    all.extend(fullest.iter().filter(|taken| taken.blocked >= 1.0).take(DESTINATIONS).map(ports));
    all
}

/// Connections turned away per second, where only one queue can have turned them away.
fn attributed_loss(evidence: &Evidence) -> Option<f64> {
    let full =
        queues::sampled(evidence, false).ok()?.into_iter().filter(|depth| queues::was_full(depth)).count();
    let span = evidence.span(|reading| &reading.sockets).ok()?;
    let per_s = counters::per_second(&span, "TcpExt.ListenOverflows").ok()?;
    (full == 1 && per_s > 0.0).then_some(per_s)
}

fn listen_queue(depth: &ListenerDepth, lost_per_s: Option<f64>) -> Option<Station> {
    let what = format!("the listen queue of {}", depth.local);
    Some(Station {
        servers: Some(queues::places(depth)?),
        busy: Some(f64::from(depth.most)),
        waiting: Some(depth.mean),
        lost_per_s,
        ..Station::new("sockets", format!("sockets.listen-queue:{}", depth.local), what)
    })
}

fn ports(taken: &Taken) -> Station {
    let (from, to) = (&taken.destination.local, taken.name());
    Station {
        servers: Some(f64::from(taken.usable)),
        busy: Some(taken.blocked),
        ..Station::new(
            "sockets",
            format!("sockets.ports:{from}>{to}"),
            format!("local ports from {from} to {to}"),
        )
    }
}
