//! What grew in OPcache over a window.

use model::counter;

use super::Status;
use crate::Evidence;

/// Restarts of any kind since the start: for want of memory, of keys, and by hand.
pub(crate) fn restarts(status: &Status) -> u64 {
    status.oom_restarts.saturating_add(status.hash_restarts).saturating_add(status.manual_restarts)
}

/// How fast a counter grew, per second, over all masters that answered twice.
#[expect(clippy::cast_precision_loss, reason = "a count within a window")]
pub(crate) fn per_second(evidence: &Evidence, of: fn(&Status) -> u64) -> Option<f64> {
    let span = evidence.span(|reading| &reading.opcache).ok()?;
    let grown = span.last.caches.iter().filter_map(|last| {
        let first = span.first.caches.iter().find(|first| first.master == last.master)?;
        counter::growth(of(first.status.as_ref()?), of(last.status.as_ref()?))
    });
    let grown: Vec<u64> = grown.collect();
    (!grown.is_empty()).then(|| grown.iter().sum::<u64>() as f64 / span.seconds)
}
