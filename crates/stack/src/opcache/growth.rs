//! What grew within the window in the memory of one PHP-FPM.

use model::counter::growth;

use super::{Cache, Status};
use crate::Evidence;

/// The growth of a counter of a cache; `None` with one reading, or when the cache was made anew meanwhile.
pub(super) fn since(evidence: &Evidence, cache: &Cache, counter: fn(&Status) -> u64) -> Option<u64> {
    let span = evidence.span(|reading| &reading.opcache).ok()?;
    let first = span.first.caches.iter().find(|one| one.master == cache.master)?.status.as_ref()?;
    let last = cache.status.as_ref()?;
    let same = first.start_unix_s == last.start_unix_s;
    growth(counter(first), counter(last)).filter(|_| same)
}
