//! A pool whose workers are all busy while requests wait.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use super::keepalive_pins_workers;
use crate::cpu::shares::percent;
use crate::php_fpm::sizing::{self, Size};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::{Busy, View};
use crate::php_fpm::{Mode, edits};
use crate::sockets::queues;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.pool-saturated",
    title: "All workers of a PHP-FPM pool are busy, and requests wait",
    explains: &["nginx.bad-gateway", "nginx.gateway-timeout", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("pool_saturated.md"),
    test,
};

/// From this share of looks on, a pool that is full is full often enough to be felt.
const OFTEN: f64 = 0.05;
/// From this use of all the workers it may have on, a pool is near its limit.
const NEAR: f64 = 0.8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

/// What was seen of a pool.
struct Seen {
    busy: Option<Busy>,
    /// The deepest queue, and the mean.
    waiting: Option<(u32, f64)>,
    /// Times that the pool reached `pm.max_children`: within the window, by the status page, …
    reached: Option<u64>,
    /// … and within the last minutes, by the log.
    logged: Option<u64>,
}

impl Seen {
    fn of(view: &View<'_>) -> Self {
        let log = view.master.log.as_ref();
        Self {
            busy: view.busy(),
            waiting: view.depth().map(|depth| (depth.most, depth.mean)),
            reached: view.reached(),
            logged: log.map(|log| log.reached_max_children.get(&view.pool.name).copied().unwrap_or(0)),
        }
    }

    fn waits(&self) -> bool {
        self.waiting.is_some_and(|(most, _)| most > 0)
    }

    fn is_full(&self) -> bool {
        self.busy.is_some_and(|busy| busy.full_share >= OFTEN)
    }
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let seen = Seen::of(view);
    let (at_limit, line) = (view.is_at_its_limit(), line(view, &seen));
    let reached = seen.reached.is_some_and(|times| times > 0);
    // Where all that are "busy" wait for Nginx, more workers would wait with them.
    let pinned = keepalive_pins_workers::pinned(view);
    if pinned > 0 && f64::from(pinned) >= NEAR * f64::from(view.most()) {
        let line = format!("{line}; {pinned} of them wait on a connection that Nginx keeps");
        return Ok(Outcome::ruled_out(line).seen_all(observations(view, &seen)));
    }
    let outcome = if at_limit && seen.waits() && (seen.is_full() || reached || always_waits(&seen)) {
        with_remedy(Outcome::confirmed(severity(view), line), view)
    } else if reached || (at_limit && seen.is_full()) {
        Outcome::consistent(Severity::Latent, format!("{line}; nobody was seen waiting")).lacks(Missing::new(
            "a request that waits for a worker",
            "look again at the busiest hour: `narrows check --for 60s`",
        ))
    } else if seen.logged.is_some_and(|times| times > 0) {
        Outcome::consistent(Severity::Latent, format!("{line}; not at its limit now")).lacks(Missing::new(
            "a moment within the window at which it is at its limit",
            "the log tells of the last minutes, and may have been answered since: look again at the busiest hour",
        ))
    } else {
        calm(view, &seen, line)?
    };
    Ok(outcome.seen_all(observations(view, &seen)))
}

/// A queue that is never empty is itself the proof that no worker was free.
fn always_waits(seen: &Seen) -> bool {
    seen.waiting.is_some_and(|(_, mean)| mean >= 1.0)
        && seen.busy.is_none_or(|busy| busy.mean >= NEAR * busy.workers)
}

fn severity(view: &View<'_>) -> Severity {
    match view.depth().is_some_and(queues::was_full) {
        true => Severity::Breaking,
        false => Severity::Limiting,
    }
}

fn calm(view: &View<'_>, seen: &Seen, line: String) -> Result<Outcome, Missing> {
    let Some(busy) = seen.busy else {
        return Err(Missing::new(
            format!("which workers of {} are busy", view.name()),
            "run narrows as root, or give the pool a status page (pm.status_path = /fpm-status)",
        ));
    };
    let most = f64::from(view.most());
    if busy.mean >= NEAR * most && most > 1.0 {
        let times = number_text((most / busy.mean * 100.0).round() / 100.0);
        return Ok(Outcome::consistent(Severity::Latent, format!("{line}; full at {times}× today's load"))
            .lacks(Missing::new("a moment at which all are busy", "look again at the busiest hour")));
    }
    Ok(Outcome::ruled_out(line))
}

fn line(view: &View<'_>, seen: &Seen) -> String {
    let mut parts = vec![];
    if let Some(busy) = seen.busy {
        let mean = number_text((busy.mean * 10.0).round() / 10.0);
        let full = match busy.full_share > 0.0 {
            true => format!(", all in {} % of looks", number_text(percent(busy.full_share))),
            false => String::new(),
        };
        parts.push(format!("{mean} of {} workers busy{full}", view.most()));
    }
    match seen.waiting {
        Some((most, _)) if most > 0 => parts.push(format!("{most} waited at most")),
        _ => {}
    }
    match (seen.reached, seen.logged) {
        (Some(times), _) if times > 0 => {
            parts.push(format!("reached pm.max_children {times} × in the window"));
        }
        (_, Some(times)) if times > 0 => {
            parts.push(format!("logged {times} × that it reached pm.max_children"));
        }
        _ => {}
    }
    format!("{}: {}", view.name(), parts.join("; "))
}

fn observations(view: &View<'_>, seen: &Seen) -> Vec<Observation> {
    let mut all = vec![];
    let pool = &view.pool.name;
    all.extend(seen.busy.iter().flat_map(|busy| {
        [
            Observation::new(
                busy.source,
                format!("[{pool}] busy workers"),
                (busy.mean * 100.0).round() / 100.0,
            ),
            Observation::new(busy.source, format!("[{pool}] all workers busy"), percent(busy.full_share))
                .unit("%"),
        ]
    }));
    let limit = view.pool.settings.get("pm.max_children");
    all.extend(limit.map(|limit| Observation::new(limit.place(), "pm.max_children", limit.value.clone())));
    all.extend(view.depth().into_iter().flat_map(queues::observations));
    all.extend(seen.reached.map(|times| {
        Observation::new("status page", format!("[{pool}] max children reached, growth"), times)
    }));
    let log = view.master.log.as_ref().zip(seen.logged);
    all.extend(log.map(|(log, times)| {
        Observation::new(log.path.clone(), format!("[{pool}] server reached pm.max_children"), times)
    }));
    all
}

fn with_remedy(outcome: Outcome, view: &View<'_>) -> Outcome {
    match sizing::size(view) {
        None => outcome
            .remedy(faster(
                view,
                Derived::new("faster pages", "neither memory nor CPU time of its workers is known"),
            ))
            .lacks(Missing::new("private memory of the workers", "run narrows as root (smaps_rollup)")),
        Some(size) if size.workers <= u64::from(view.most()) => {
            let target = size.derived(format!("no more workers: {} binds at {}", size.binds, size.workers));
            outcome.remedy(faster(view, target))
        }
        Some(size) => outcome.remedy(larger(view, &size)),
    }
}

fn larger(view: &View<'_>, size: &Size) -> Remedy {
    let name = view.name();
    let settings = edits::of_size(view.pool, size.workers);
    let mut risk = edits::reload_risk(view.master).to_owned();
    if view.pool.mode == Mode::Static {
        risk.push_str("; with pm = static all workers take their memory at once");
    }
    let change = edits::change(view.pool, &settings, size.derived(size.workers))
        .coupled_with("database connections, and listen.backlog, which counts in workers")
        .restarts("reload PHP-FPM")
        .risks(&risk);
    let title = format!("Give {name} {} workers: {} binds ({})", size.workers, size.binds, size.line());
    Remedy::new(
        title,
        format!("all workers of {name} busy in 0 % of looks, Recv-Q of {} 0", view.pool.listen),
    )
    .change(change)
}

fn faster(view: &View<'_>, target: Derived) -> Remedy {
    let place =
        format!("the pages that {} serves: cache them, or make what they wait for faster", view.name());
    let change = Change::new(ChangeKind::Elsewhere { place }, Some(view.most().to_string()), target)
        .persists_by("the application")
        .risks("none of this host's");
    Remedy::new(
        format!("Make the pages of {} faster", view.name()),
        "workers are busy for less time with each request",
    )
    .change(change)
}
