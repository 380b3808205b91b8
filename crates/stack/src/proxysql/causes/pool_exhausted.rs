//! Clients that wait because every connection to a server is in use.

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::View;
use crate::proxysql::{Backend, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.pool-exhausted",
    title: "Clients wait in ProxySQL because every connection to a server is in use",
    explains: &["proxysql.connect-timeouts"],
    refutes: &[],
    document: include_str!("pool_exhausted.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

/// A host group that has no connection left, in so many readings.
struct Full<'a> {
    backend: &'a Backend,
    readings: usize,
    of: usize,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let mut full: Vec<Full<'_>> = vec![];
    let mut deepest = None;
    let serving = view.asked.runtime.servers.iter().filter(|backend| backend.max_connections > 0);
    for backend in serving {
        let pools = view.pools(backend)?;
        let most = pools.iter().map(|pool| pool.used).max().unwrap_or(0);
        let readings = pools.iter().filter(|pool| pool.used >= backend.max_connections).count();
        if readings > 0 {
            full.push(Full { backend, readings, of: pools.len() });
        }
        if deepest.as_ref().is_none_or(|(deepest, _)| most > *deepest) {
            deepest = Some((most, backend));
        }
    }
    let timeouts = view.grown("max_connect_timeouts");
    let denied = view.grown("ConnPool_get_conn_failure");
    let Some(worst) = full.first() else {
        let line = match deepest {
            Some((most, backend)) => {
                format!(
                    "{}: {most} of {} connections in use to {}",
                    view.name(),
                    backend.max_connections,
                    edits::named(backend)
                )
            }
            None => format!("{} has no servers", view.name()),
        };
        return Ok(Outcome::ruled_out(line));
    };
    let Full { backend, readings, of } = worst;
    let most = backend.max_connections;
    let line = format!(
        "{}: all {most} connections to {} in use in {readings} of {of} readings",
        view.name(),
        edits::named(backend)
    );
    let outcome = match (&timeouts, &denied) {
        (Ok(timeouts), _) if *timeouts > 0.0 => Outcome::confirmed(
            Severity::Breaking,
            format!("{line}; {timeouts} clients gave up with error 9001"),
        ),
        (_, Ok(denied)) if *denied > 0.0 => {
            Outcome::confirmed(Severity::Limiting, format!("{line}; {denied} times a client found none"))
        }
        _ => Outcome::consistent(Severity::Latent, format!("{line}; no client was seen to wait")).lacks(
            Missing::new(
                "growth of max_connect_timeouts or ConnPool_get_conn_failure",
                "read stats_mysql_global over a longer window, at the busiest hour",
            ),
        ),
    };
    let seen = full.iter().map(|full| {
        view.seen(
            "stats_mysql_connection_pool",
            &format!("{} ConnUsed", edits::named(full.backend)),
            full.backend.max_connections,
        )
    });
    let counted = [("max_connect_timeouts", timeouts), ("ConnPool_get_conn_failure", denied)];
    let counted = counted
        .into_iter()
        .filter_map(|(name, grown)| Some(view.seen("stats_mysql_global", name, grown.ok()?)));
    Ok(outcome.seen_all(seen).seen_all(counted).remedy(remedy(view)))
}

/// More connections help only where the database has CPUs to spare: what holds them comes first.
fn remedy(view: &View<'_>) -> Remedy {
    let held = view.asked.pinning.first();
    let (place, words) = match held {
        Some(pinning) => (
            format!("the application that sends “{}”", pinning.example),
            format!("statements that give their connection back: {} {} keep it", pinning.count, pinning.reason),
        ),
        None => (
            "the database behind ProxySQL".to_owned(),
            "faster statements: see `narrows queries digest`; a higher max_connections only where its CPUs are idle".to_owned(),
        ),
    };
    let change = Change::new(ChangeKind::Elsewhere { place }, None, Derived::new(words, "as found"))
        .risks("a higher ceiling alone moves the queue into the database, where it costs more");
    Remedy::new("Let connections be given back sooner", "max_connect_timeouts stays as it is").change(change)
}
