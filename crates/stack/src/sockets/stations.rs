//! Each listen queue that was used, the workers behind it, and the local ports towards each destination.

use std::collections::BTreeMap;

use host::kernel::Family;
use model::Station;

use super::ports::{Taken, taken};
use super::{counters, queues};
use crate::samples::ListenerDepth;
use crate::{Evidence, php_fpm};

/// Destinations shown, fullest first.
const DESTINATIONS: usize = 8;

/// Fewer workers than these are no pool: one acceptor may be away for other reasons than load.
const LEAST_WORKERS: u32 = 2;

/// Every queue that held more than a connection on its way to accept(), pools of workers, and the fullest destinations.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let used = |depth: &&ListenerDepth| depth.most > 1 || queues::was_full(depth);
    let lost_per_s = attributed_loss(evidence);
    let lost = |depth: &ListenerDepth| {
        lost_per_s.filter(|_| depth.family != Family::Unix && queues::was_full(depth))
    };
    let depths = evidence.samples.listeners.iter().filter(used);
    let mut all: Vec<_> = depths.filter_map(|depth| listen_queue(depth, lost(depth))).collect();
    all.extend(pools(evidence));
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

/// Each pool of workers that was busy at all and accepts at a socket of this network namespace. Sockets that share an address
/// (`SO_REUSEPORT`) share its connections.
///
/// Those of a PHP-FPM that was read are listed by their own layer. A pool that grows with load (Apache's spare servers) carries more than its size of today.
fn pools(evidence: &Evidence) -> Vec<Station> {
    let facts = evidence.readings.iter().rev().filter_map(|reading| reading.sockets.facts());
    let Some(listeners) = facts.filter_map(|facts| facts.listeners.as_ref()).next() else { return vec![] };
    let mut by_address: BTreeMap<&str, (&str, u32, f64)> = BTreeMap::new();
    for pool in &evidence.samples.pools {
        let Some(listener) = listeners.iter().find(|listener| listener.inode == pool.inode) else { continue };
        if php_fpm::is_of_a_pool(evidence, &listener.local) {
            continue;
        }
        let (_, workers, busy) = by_address.entry(&listener.local).or_insert((&pool.command, 0, 0.0));
        *workers = workers.saturating_add(pool.workers);
        *busy += pool.busy;
    }
    let used =
        by_address.into_iter().filter(|(_, (_, workers, busy))| *workers >= LEAST_WORKERS && *busy > 0.0);
    used.map(|(local, (command, workers, busy))| pool(evidence, local, command, (workers, busy))).collect()
}

fn pool(evidence: &Evidence, local: &str, command: &str, (workers, busy): (u32, f64)) -> Station {
    let depth = evidence.samples.listeners.iter().find(|depth| depth.local == local);
    Station {
        servers: Some(f64::from(workers)),
        busy: Some(busy),
        waiting: depth.map(|depth| depth.mean),
        ..Station::new(
            "sockets",
            format!("sockets.accept-pool:{local}"),
            format!("the workers of {command} at {local}"),
        )
    }
}

fn ports(taken: &Taken) -> Station {
    let (from, to) = (&taken.destination.local, taken.name());
    Station {
        servers: Some(f64::from(taken.usable)),
        busy: Some(taken.blocked),
        arrivals_per_s: taken.closed_per_s.filter(|_| taken.held_s().is_some()),
        service_s: taken.held_s(),
        ..Station::new(
            "sockets",
            format!("sockets.ports:{from}>{to}"),
            format!("local ports from {from} to {to}"),
        )
    }
}
