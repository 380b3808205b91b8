//! How long the listen queue of a pool is, and how long it should be.

use model::observation::number_text;
use model::{Change, Derived};

use super::edits;
use super::view::View;
use crate::Evidence;
use crate::sockets::queues::MOST_PLACES;

/// A visitor still finds a wait of so many seconds in the queue worth while.
pub(crate) const WAIT_S: f64 = 1.0;
/// Whoever waited longer than this in the queue has given up, or asked again.
pub(crate) const LONGEST_WAIT_S: f64 = 2.0;
/// `listen.backlog` of PHP before 8.2 (`FPM_BACKLOG_DEFAULT` of `sapi/fpm/fpm/fpm_sockets.h`); from 8.2 on it is -1.
const OLD_DEFAULT: i64 = 511;

/// The limit of the queue that a pool asks for; -1 asks for all that the kernel allows.
pub(crate) fn asked(view: &View<'_>) -> i64 {
    let default = match version(view) {
        Some(version) if version < (8, 2) => OLD_DEFAULT,
        _ => -1,
    };
    view.pool.number("listen.backlog").unwrap_or(default)
}

fn version(view: &View<'_>) -> Option<(u32, u32)> {
    let (major, minor) = view.master.version.as_deref()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The limit that is in effect: what the kernel says of the socket, else the smaller of what is asked for and
/// `net.core.somaxconn`.
pub(crate) fn limit(view: &View<'_>) -> Option<u64> {
    if let Some(backlog) = view.depth().and_then(|depth| depth.backlog) {
        return Some(u64::from(backlog));
    }
    let most = u64::try_from(view.evidence.settings.number("net.core.somaxconn")?).ok()?;
    Some(u64::try_from(asked(view)).map_or(most, |asked| asked.min(most)))
}

/// How many seconds the last of a full queue waits for a worker.
#[expect(clippy::cast_precision_loss, reason = "connections of a queue")]
pub(crate) fn wait_s(view: &View<'_>, places: u64) -> Option<f64> {
    let workers = f64::from(view.most());
    let service = view.service()?;
    (workers > 0.0).then(|| places as f64 * service.seconds / workers)
}

/// How many connections may wait for a pool, such that the last is served within a second or two; `None` where it is not
/// known how long a request takes.
pub(crate) fn wanted(view: &View<'_>) -> Option<(u64, Derived)> {
    let (workers, service) = (f64::from(view.most()), view.service()?);
    let least = (workers * WAIT_S / service.seconds).ceil();
    let wanted = crate::sockets::queues::power_of_two(least);
    let target =
        Derived::new(wanted, "power of two ≥ workers × 1 s / S, at most 16384: the last waits 1 to 2 s")
            .input("workers", number_text(workers), "pm.max_children")
            .input("S", milliseconds(service.seconds), service.source);
    Some((wanted.min(MOST_PLACES), target))
}

/// A time in milliseconds.
pub(crate) fn milliseconds(seconds: f64) -> String {
    format!("{} ms", number_text((seconds * 10_000.0).round() / 10.0))
}

/// `listen.backlog` of a pool.
pub(crate) fn change(view: &View<'_>, target: Derived) -> Change {
    let settings = [("listen.backlog", target.value.clone())];
    let mut change = edits::change(view.pool, &settings, target);
    change.current = limit(view).map(|limit| limit.to_string()).or(change.current);
    change
        .coupled_with("net.core.somaxconn, which caps it")
        .restarts("restart PHP-FPM: on a reload it inherits the socket and never calls listen() again")
        .risks("a restart ends requests in progress; a longer queue serves late what it no longer refuses")
}

/// What gives the queue at an address another length, where a pool listens there.
pub(crate) fn backlog_change(evidence: &Evidence, local: &str, target: &Derived) -> Option<Change> {
    let view = super::view::at(evidence, local).filter(View::runs)?;
    let known = !edits::file_of(view.pool, "listen.backlog").is_empty();
    known.then(|| change(&view, target.clone()))
}

/// How many connections are of use in the queue at an address, where a pool listens there.
pub(crate) fn useful_backlog(evidence: &Evidence, local: &str) -> Option<(u64, Derived)> {
    wanted(&super::view::at(evidence, local).filter(View::runs)?)
}
