//! A pool's own listen queue that turns requests away before it is as long as is useful.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::ErrorKind;
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::php_fpm::{listen, passes};
use crate::samples::ListenerDepth;
use crate::sockets::queues;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.backlog-short",
    title: "A PHP-FPM pool refuses requests that could wait a moment",
    explains: &["nginx.bad-gateway", "sockets.connections-refused"],
    refutes: &[],
    document: include_str!("backlog_short.md"),
    test,
};

/// The clocks of a log and of a reading may differ by so many seconds.
const CLOCKS_S: f64 = 1.0;
/// A queue that is full in more samples than this would be so however long it were.
const ALWAYS_FULL: f64 = 0.95;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

/// What Nginx logged of a pool's full queue.
struct Refused {
    log: String,
    lines: u64,
    span_s: f64,
    recent: bool,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (depth, refused) = (view.depth(), refused(view));
    let full = depth.filter(|depth| queues::was_full(depth) && overflows(view, depth));
    let line = line(view, depth, refused.as_ref());
    let outcome = match (full, &refused) {
        (None, None) => not_full(view, depth, line)?,
        (None, Some(refused)) if !refused.recent => before_the_window(line),
        (full, _) => turned_away(view, full, line),
    };
    let seen = depth.into_iter().flat_map(queues::observations);
    let logged = refused.map(|refused| {
        let field = format!(
            "connect() to {} failed (11, in {} s)",
            view.pool.listen,
            number_text(refused.span_s.round())
        );
        Observation::new(refused.log, field, refused.lines)
    });
    let asked = view.pool.settings.get("listen.backlog");
    let asked = asked.map(|asked| Observation::new(asked.place(), "listen.backlog", asked.value.clone()));
    Ok(outcome.seen_all(seen).seen_all(logged).seen_all(asked))
}

/// A full Unix queue refuses; a full TCP queue only where the kernel counted it.
fn overflows(view: &View<'_>, depth: &ListenerDepth) -> bool {
    let counted = || {
        let span = view.evidence.span(|reading| &reading.sockets).ok()?;
        crate::sockets::counters::per_second(&span, "TcpExt.ListenOverflows").ok()
    };
    depth.family == host::kernel::Family::Unix || counted().is_some_and(|per_s| per_s > 0.0)
}

fn refused(view: &View<'_>) -> Option<Refused> {
    let nginx = services::facts(&view.evidence.services.nginx).ok()?;
    let logs = nginx.instances.iter().flat_map(|instance| &instance.error_logs);
    let now = view.evidence.readings.last().and_then(|reading| reading.clock.unix_s);
    let found = logs.filter_map(|log| {
        let of_pool = log.kinds.iter().filter(|kind| {
            let upstream = kind.upstream.as_deref().unwrap_or_default();
            kind.kind == ErrorKind::QueueFull && passes::names(upstream, &view.pool.listen)
        });
        let lines: u64 = of_pool.map(|kind| kind.count).fold(0, u64::saturating_add);
        let age_s = now.zip(log.last_unix_s).map(|(now, last)| now - last);
        let recent = age_s.is_none_or(|age_s| age_s <= view.evidence.seconds() + CLOCKS_S);
        (lines > 0).then(|| Refused { log: log.path.clone(), lines, span_s: log.span_s, recent })
    });
    found.max_by_key(|refused| refused.lines)
}

fn not_full(view: &View<'_>, depth: Option<&ListenerDepth>, line: String) -> Result<Outcome, Missing> {
    let Some(depth) = depth else {
        let sampled = view.evidence.samples.listener_passes > 0;
        let logged = services::facts(&view.evidence.services.nginx).is_ok();
        return match (sampled, logged) {
            (true, true) => Ok(Outcome::ruled_out(line)),
            _ => Err(Missing::new(
                format!("the depth of the listen queue at {}", view.pool.listen),
                "run narrows in the network namespace of PHP-FPM; Nginx's error log shows refusals as (11: …)",
            )),
        };
    };
    if depth.backlog.is_none() && depth.most > 0 {
        return Err(Missing::new(
            format!("the limit of the queue at {}, which held {}", depth.local, depth.most),
            "the kernel's unix_diag module gives it: load it with `modprobe unix_diag`, and read again",
        ));
    }
    if queues::was_near(depth) {
        let times = number_text((queues::overflows_at_times(depth) * 10.0).round() / 10.0);
        return Ok(Outcome::consistent(
            Severity::Latent,
            format!("{line}; overflows at {times}× this depth"),
        )
        .lacks(Missing::new(
            "a sample that sees it full",
            "look longer at the busiest hour: `narrows check --for 60s`",
        )));
    }
    Ok(Outcome::ruled_out(line))
}

/// What the log says may have been mended since.
fn before_the_window(line: String) -> Outcome {
    Outcome::consistent(Severity::Latent, format!("{line}, none of them just now")).lacks(Missing::new(
        "a refusal within the window",
        "look longer at the busiest hour: `narrows check --for 60s`",
    ))
}

fn turned_away(view: &View<'_>, depth: Option<&ListenerDepth>, line: String) -> Outcome {
    let (limit, severity) = (listen::limit(view), Severity::Breaking);
    let useful = listen::wanted(view);
    if let (Some(limit), Some((wanted, _)), Some(wait_s)) =
        (limit, &useful, limit.and_then(|limit| listen::wait_s(view, limit)))
        && limit >= *wanted
    {
        let wait_s = number_text((wait_s * 10.0).round() / 10.0);
        return Outcome::ruled_out(format!(
            "{line}; it holds {wait_s} s of work already, more would come too late"
        ));
    }
    if depth.is_some_and(|depth| depth.full_share > ALWAYS_FULL) {
        return Outcome::consistent(severity, format!("{line}; a longer one would be full as well")).lacks(
            Missing::new(
                "a moment at which the queue is not full",
                "more requests come than the workers finish: see php-fpm.pool-saturated",
            ),
        );
    }
    let target = useful.map_or_else(|| by_depth(view, depth), |(_, target)| target);
    Outcome::confirmed(severity, line).remedy(longer(view, target))
}

/// Where it is not known how long requests take: twice what was seen.
fn by_depth(view: &View<'_>, depth: Option<&ListenerDepth>) -> Derived {
    let limit = listen::limit(view).and_then(|limit| u32::try_from(limit).ok()).unwrap_or(0);
    let deepest = depth.map_or(0, |depth| depth.most).max(limit.saturating_add(1));
    let wanted = queues::power_of_two(f64::from(deepest) * 2.0);
    Derived::new(wanted, "power of two ≥ 2 × deepest, at most 16384; how long requests take is not known")
        .input("deepest", deepest, "Recv-Q of its socket, or its places")
}

/// The queue and the kernel's limit, together.
fn longer(view: &View<'_>, target: Derived) -> Remedy {
    let (key, wanted) = ("net.core.somaxconn", target.value.clone());
    let listen = &view.pool.listen;
    let moves = format!("Recv-Q of {listen} stays below {wanted}; no connect() fails with errno 11");
    let mut remedy = Remedy::new(format!("Let {wanted} requests wait for {}", view.name()), moves);
    let clamp = view.evidence.settings.number(key);
    if let Some(clamp) = clamp.filter(|clamp| wanted.parse().is_ok_and(|wanted: i64| *clamp < wanted)) {
        let change = Change::sysctl(key, Some(clamp.to_string()), target.clone())
            .owned_by(view.evidence.settings.owner(key))
            .coupled_with(&format!("listen.backlog of {}: each is inert without the other", view.name()))
            .restarts("none; a queue takes it when its daemon next calls listen()")
            .risks("none while no daemon asks for more; it is only the upper limit of listen()");
        remedy = remedy.change(change);
    }
    remedy.change(listen::change(view, target))
}

fn line(view: &View<'_>, depth: Option<&ListenerDepth>, refused: Option<&Refused>) -> String {
    let depth = match depth {
        Some(depth) => queues::line(depth),
        None => format!("{}: no connection waited", view.pool.listen),
    };
    let logged = refused.map(|refused| {
        let span = number_text(refused.span_s.round());
        format!("; Nginx logged {} × errno 11 in {span} s", number_text(lines(refused.lines)))
    });
    format!("{}, {depth}{}", view.name(), logged.unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "lines of a log")]
fn lines(count: u64) -> f64 {
    count as f64
}
