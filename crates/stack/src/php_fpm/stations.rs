//! The limits of this layer: the workers of each pool.

use model::Station;
use model::observation::number_text;

use super::sizing::{by_database, by_memory};
use super::view::{View, pools};
use crate::Evidence;
use crate::cpu::shares;

/// From so much CPU time of a pool on the share that its workers wait is known, in seconds.
const LEAST_CPU_S: f64 = 0.2;
/// From this share of CPU time on, workers wait for CPUs, and how long they would wait otherwise is not known.
const CPUS_FULL: f64 = 0.9;

/// Each pool that was busy, or at which somebody waited.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let views: Vec<_> = pools(evidence).unwrap_or_default().into_iter().filter(View::runs).collect();
    let named = |name: &str| views.iter().filter(|view| view.pool.name == name).count();
    views.iter().filter_map(|view| station(view, named(&view.pool.name) > 1)).collect()
}

/// Whether the workers behind a listening socket are a station of this layer.
pub(crate) fn is_of_a_pool(evidence: &Evidence, local: &str) -> bool {
    super::view::at(evidence, local).is_some_and(|view| view.runs() && is_used(&view))
}

fn is_used(view: &View<'_>) -> bool {
    view.busy().is_some_and(|busy| busy.mean > 0.0) || view.depth().is_some_and(|depth| depth.mean > 0.0)
}

fn station(view: &View<'_>, ambiguous: bool) -> Option<Station> {
    if !is_used(view) {
        return None;
    }
    let busy = view.busy()?;
    let (servers, binds) = servers(view);
    let (arrivals, depth) = (view.requests_per_s(), view.depth());
    let id = match ambiguous {
        true => format!("php-fpm.workers:{}@{}", view.pool.name, view.pool.listen),
        false => format!("php-fpm.workers:{}", view.pool.name),
    };
    Some(Station {
        servers: Some(servers),
        queue: depth.and_then(crate::sockets::queues::places),
        arrivals_per_s: arrivals,
        service_s: arrivals.map(|arrivals| busy.mean / arrivals),
        busy: Some(busy.mean),
        waiting: depth.map(|depth| depth.mean),
        ..Station::new("php-fpm", id, format!("the workers of PHP-FPM's {} ({binds} binds)", view.name()))
    })
}

/// How many workers can be busy at once, and which limit that is. Memory holds at least the workers that are there.
fn servers(view: &View<'_>) -> (f64, String) {
    let now = f64::from(view.workers());
    let most = f64::from(view.most());
    let mut binds = (most, "pm.max_children".to_owned());
    let mut limit = |workers: f64, name: &str| {
        if workers < binds.0 {
            binds = (workers, format!("{name}, below pm.max_children {},", number_text(most)));
        }
    };
    if let Some(memory) = by_memory(view) {
        limit(count(memory.workers).max(now), "memory");
    }
    if let Some(workers) = by_cpu(view) {
        limit(workers, "CPU time");
    }
    if let Some(database) = by_database(view) {
        limit(count(database.workers), "the database's max_connections");
    }
    binds
}

/// Workers that keep all CPUs busy: CPUs × (1 + wait / cpu), as the workers themselves share their time.
fn by_cpu(view: &View<'_>) -> Option<f64> {
    let span = view.evidence.span(|reading| &reading.cpu).ok()?;
    let (cpus, total) = (shares::count(span.last)?, shares::total(&span)?);
    let (cpu_s, seconds) = view.cpu_s()?;
    let busy_s = view.busy()?.mean * seconds;
    let known = cpu_s >= LEAST_CPU_S && busy_s > 0.0 && total.busy() + total.steal < CPUS_FULL;
    known.then(|| cpus * (busy_s / cpu_s).max(1.0))
}

#[expect(clippy::cast_precision_loss, reason = "a count of workers")]
fn count(workers: u64) -> f64 {
    workers as f64
}

#[cfg(test)]
mod tests;
