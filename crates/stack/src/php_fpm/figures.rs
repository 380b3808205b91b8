//! Figures of PHP-FPM over a window.

use model::counter;

use super::view::{View, pools};
use crate::Evidence;

/// How often pools reached `pm.max_children`, per second, over all pools that have a status page.
#[expect(clippy::cast_precision_loss, reason = "a count within a window")]
pub(crate) fn max_children_reached_per_s(evidence: &Evidence) -> Option<f64> {
    let span = evidence.span(|reading| &reading.php_fpm).ok()?;
    let grown = span.last.pools.iter().filter_map(|last| {
        let same = |first: &&super::PoolCounters| (first.master, &first.pool) == (last.master, &last.pool);
        let first = span.first.pools.iter().find(same)?.status.as_ref()?;
        counter::growth(first.max_children_reached, last.status.as_ref()?.max_children_reached)
    });
    let grown: Vec<u64> = grown.collect();
    (!grown.is_empty()).then(|| grown.iter().sum::<u64>() as f64 / span.seconds)
}

/// Requests that waited for a worker on average, over all pools that run.
pub(crate) fn waiting(evidence: &Evidence) -> Option<f64> {
    let running = pools(evidence).ok()?.into_iter().filter(View::runs);
    let waiting: Vec<f64> = running.filter_map(|view| Some(view.depth()?.mean)).collect();
    (!waiting.is_empty()).then(|| waiting.iter().sum())
}
