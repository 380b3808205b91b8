//! How deep listen queues were over the window, and how deep they would have to be.

use host::kernel::Family;
use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Remedy};

use super::daemons;
use crate::remedies::together;
use crate::samples::ListenerDepth;
use crate::{Evidence, nginx};

/// A queue longer than this keeps clients that have left before they are served.
pub const MOST_PLACES: u64 = 16_384;
/// Fewer connections than this make no queue, whatever share of a short one they fill.
const LEAST_WAITING: u32 = 4;
/// A queue that is full in more samples than this may have workers that are too slow.
const OFTEN_FULL: f64 = 0.5;
/// A queue that is full in more samples than this has more arrivals than its workers can take, however long it is.
const ALWAYS_FULL: f64 = 0.95;
/// The share of its places from which on a queue that never overflowed is near its limit.
const NEAR: f64 = 0.5;

/// Every listen queue that was sampled, TCP or Unix.
///
/// # Errors
/// What is missing, when listen queues were never sampled.
pub fn sampled(evidence: &Evidence, unix: bool) -> Result<Vec<&ListenerDepth>, Missing> {
    if evidence.samples.listener_passes == 0 {
        let latest = evidence.latest(|reading| &reading.sockets)?;
        return Err(latest.listeners_unread.as_ref().map_or_else(
            || Missing::new("the depth of listen queues", "let narrows sample them: run `narrows check`"),
            |unread| unread.missing("the depth of listen queues"),
        ));
    }
    let wanted = |depth: &&ListenerDepth| (depth.family == Family::Unix) == unix;
    Ok(evidence.samples.listeners.iter().filter(wanted).collect())
}

/// How many connections a queue holds: one more than its backlog (`sk_acceptq_is_full`, `unix_recvq_full`).
pub fn places(depth: &ListenerDepth) -> Option<f64> {
    depth.backlog.map(|backlog| f64::from(backlog) + 1.0)
}

/// Whether it was ever seen full.
pub fn was_full(depth: &ListenerDepth) -> bool {
    depth.backlog.is_some_and(|backlog| backlog > 0 && depth.most > backlog)
}

/// Whether more than half of it was ever taken.
pub fn was_near(depth: &ListenerDepth) -> bool {
    depth.most >= LEAST_WAITING && places(depth).is_some_and(|places| f64::from(depth.most) > NEAR * places)
}

/// The multiple of the deepest sample at which it overflows.
pub fn overflows_at_times(depth: &ListenerDepth) -> f64 {
    places(depth).unwrap_or(f64::INFINITY) / f64::from(depth.most.max(1))
}

/// Whether a longer queue may help: it is not full all the time, and not as long already as any queue should be.
pub fn may_grow(depth: &ListenerDepth) -> bool {
    depth.full_share <= ALWAYS_FULL && depth.backlog.is_none_or(|backlog| u64::from(backlog) < MOST_PLACES)
}

/// What was seen of a queue, in one line.
pub fn line(depth: &ListenerDepth) -> String {
    let limit = depth.backlog.map_or_else(|| "?".to_owned(), |backlog| backlog.to_string());
    let full = (depth.full_share * 1000.0).round() / 10.0;
    match was_full(depth) {
        true => {
            format!(
                "{}: Recv-Q {} of {limit}, full in {} % of samples",
                depth.local,
                depth.most,
                number_text(full)
            )
        }
        false => format!("{}: Recv-Q {} of {limit} at most", depth.local, depth.most),
    }
}

/// What was seen of a queue, field by field.
pub fn observations(depth: &ListenerDepth) -> Vec<Observation> {
    let source = if depth.family == Family::Unix { "unix_diag" } else { "inet_diag" };
    let seen = |field: &str, value: f64| Observation::new(source, format!("{} {field}", depth.local), value);
    let mut all = vec![seen("Recv-Q at most", f64::from(depth.most)), seen("Recv-Q on average", depth.mean)];
    all.extend(depth.backlog.map(|backlog| seen("Send-Q (the limit)", f64::from(backlog))));
    all.push(seen("share of samples full", depth.full_share * 100.0).unit("%"));
    all
}

/// The power of two that holds a number of connections, not beyond [`MOST_PLACES`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a small positive range before"
)]
pub fn power_of_two(connections: f64) -> u64 {
    let connections = if connections.is_finite() { connections.ceil() } else { f64::from(u32::MAX) };
    (connections.clamp(1.0, f64::from(u32::MAX)) as u64).next_power_of_two().min(MOST_PLACES)
}

/// A longer queue for one listener: its own backlog, and `net.core.somaxconn` where that is below.
pub fn longer(evidence: &Evidence, depth: &ListenerDepth, wanted: u64, target: Derived) -> Remedy {
    let key = "net.core.somaxconn";
    let clamp = evidence.settings.number(key);
    let unix = depth.family == Family::Unix;
    let moves = match unix {
        true => format!("Recv-Q of {} stays below {wanted}; no connect() fails with errno 11", depth.local),
        false => "TcpExt.ListenOverflows grows by 0 at the same burst".to_owned(),
    };
    let mut remedy = Remedy::new(format!("Let {wanted} connections wait at {}", depth.local), moves);
    if !unix {
        remedy = remedy.lowers("TcpExt.ListenOverflows/s");
    }
    if let Some(clamp) = clamp.filter(|clamp| u64::try_from(*clamp).is_ok_and(|clamp| clamp < wanted)) {
        remedy = remedy.change(
            Change::sysctl(key, Some(clamp.to_string()), target.clone())
                .owned_by(evidence.settings.owner(key))
                .coupled_with(&format!(
                    "the listen backlog of {}: alone this reaches only a daemon that asks for more than {clamp}",
                    depth.local
                ))
                .restarts("none; a queue takes it when its daemon next calls listen()")
                .risks("none while no daemon asks for more; it is only the upper limit of listen()"),
        );
    }
    if let Some(change) = daemons::backlog_change(evidence, &depth.local, &target) {
        return remedy.change(change);
    }
    match nginx::longer_backlog(evidence, &depth.local, wanted, &target) {
        Some(change) => remedy.change(change),
        None => remedy.change(by_hand(depth, wanted, target)),
    }
}

/// The backlog of a daemon whose configuration is not known.
fn by_hand(depth: &ListenerDepth, wanted: u64, target: Derived) -> Change {
    let place = format!("the listen backlog of the daemon on {}", depth.local);
    let restart = match depth.family == Family::Unix {
        true => "restart the daemon: PHP-FPM inherits the socket on a reload and never calls listen() again",
        false => {
            "reload nginx if the number in its `listen` line changed (only then does it call listen() again), else restart it; restart other daemons"
        }
    };
    let current = depth.backlog.map(|backlog| backlog.to_string());
    Change::new(ChangeKind::Elsewhere { place }, current, target)
        .persists_by(
            "the daemon's configuration (nginx `listen … backlog=`, HAProxy `backlog`, FPM `listen.backlog`)",
        )
        .coupled_with(&format!("net.core.somaxconn ≥ {wanted}"))
        .restarts(restart)
        .risks("a longer queue serves late what it no longer refuses: keep it below the patience of clients")
}

/// What helps queues that overflow: faster workers where one is full often, more places where it is not full always and
/// more are of use.
pub fn remedies(depths: &[&ListenerDepth], longer: impl Fn(&ListenerDepth) -> Option<Remedy>) -> Vec<Remedy> {
    let depths = || depths.iter().copied();
    let slow = depths().filter(|depth| depth.full_share > OFTEN_FULL || !may_grow(depth));
    let short = depths().filter(|depth| may_grow(depth));
    [together(slow.map(faster)), together(short.filter_map(longer))].into_iter().flatten().collect()
}

/// Faster workers behind a queue: a longer one would make everyone wait longer.
fn faster(depth: &ListenerDepth) -> Remedy {
    let formula = "full in more than half of all samples, or 16384 places already";
    let full = format!("{:.0} %", depth.full_share * 100.0);
    let source = if depth.family == Family::Unix { "unix_diag" } else { "inet_diag" };
    let target = Derived::new("more or faster workers behind the socket", formula)
        .input("full", full, source)
        .input("deepest", depth.most, source);
    let place = format!("the workers behind {}", depth.local);
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .restarts("restart the daemon")
        .risks("more workers take more memory and database connections; a longer queue would refuse as many later");
    let moves = format!("Recv-Q of {} falls to 0 between bursts, and none is turned away", depth.local);
    Remedy::new(format!("Let the daemon on {} accept faster", depth.local), moves).change(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(backlog: Option<u32>, most: u32) -> ListenerDepth {
        let (family, local) = (Family::Inet4, "0.0.0.0:80".to_owned());
        ListenerDepth { family, local, backlog, most, mean: 0.0, full_share: 0.0, times_full: 0 }
    }

    #[test]
    fn a_queue_holds_one_more_than_its_backlog() {
        assert!(!was_full(&depth(Some(128), 128)) && was_full(&depth(Some(128), 129)));
        assert!(!was_full(&depth(Some(0), 1)), "a listener without a backlog is no queue");
        assert!(!was_full(&depth(None, 9_999)), "a limit that the kernel does not say is not met");
    }

    #[test]
    fn a_few_connections_are_not_near_the_limit_of_a_short_queue() {
        assert!(!was_near(&depth(Some(4), 3)));
        assert!(was_near(&depth(Some(5), 4)));
    }

    #[test]
    fn a_queue_that_is_always_full_gets_faster_workers_and_no_more_places() {
        let offered = |full_share| {
            let depth = ListenerDepth { full_share, ..depth(Some(128), 129) };
            remedies(&[&depth], |_| Some(Remedy::new("longer", "")))
                .into_iter()
                .map(|remedy| remedy.title)
                .collect::<Vec<_>>()
        };
        let faster = "Let the daemon on 0.0.0.0:80 accept faster";
        assert_eq!(offered(0.2), ["longer"]);
        assert_eq!(offered(0.94), [faster, "longer"]);
        assert_eq!(offered(1.0), [faster]);
    }

    #[test]
    fn wanted_places_are_powers_of_two_up_to_a_limit() {
        let wanted = [0.0, 129.0, 1e12, f64::NAN, f64::INFINITY].map(power_of_two);
        assert_eq!(wanted, [1, 256, MOST_PLACES, MOST_PLACES, MOST_PLACES]);
    }
}
