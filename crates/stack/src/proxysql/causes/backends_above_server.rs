//! Proxies that together may open more connections than the database takes.

use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::{Server, View, limit_of};
use crate::proxysql::{Backend, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.backends-above-server",
    title: "All ProxySQL together may open more connections than the database takes",
    explains: &["proxysql.connect-timeouts"],
    refutes: &[],
    document: include_str!("backends_above_server.md"),
    test,
};

/// This share of the connections may be the proxies'; the rest is for jobs, replicas and administrators: tenths.
const TENTHS: u64 = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let mut fine = vec![];
    let mut missing = None;
    for server in view.servers() {
        let (limit, source) = match limit_of(view.evidence, &server) {
            Ok(found) => found,
            Err(lacking) => {
                missing = Some(lacking);
                continue;
            }
        };
        let proxies = view.cluster_size();
        let all = server.most().saturating_mul(proxies);
        let line = format!(
            "{}: {proxies} × {} = {all} connections to {}, which takes {limit}",
            view.name(),
            server.most(),
            server.address()
        );
        if all > limit.saturating_mul(TENTHS) / 10 {
            return Ok(above(view, &server, (limit, &source), line));
        }
        fine.push(line);
    }
    match missing {
        Some(missing) => Err(missing),
        None if fine.is_empty() => Ok(Outcome::ruled_out(format!("{} has no servers", view.name()))),
        None => Ok(Outcome::ruled_out(fine.join("; "))),
    }
}

fn above(view: &View<'_>, server: &Server<'_>, (limit, source): (u64, &str), line: String) -> Outcome {
    let errors = |backend: &&Backend| {
        let pools = view.pools(backend).ok()?;
        let (first, last) = (pools.first()?, pools.get(1..)?.last()?);
        Some(last.errors.saturating_sub(first.errors))
    };
    let errors: u64 = server.backends.iter().filter_map(errors).sum();
    let proxies = view.cluster_size();
    let exceeds = server.most().saturating_mul(proxies) > limit;
    let severity = if exceeds && errors > 0 { Severity::Breaking } else { Severity::Latent };
    let line = if errors > 0 { format!("{line}; {errors} connections failed") } else { line };
    let share = limit.saturating_mul(TENTHS) / 10 / proxies;
    // Each host group keeps its part of the whole.
    let part =
        |backend: &Backend| (share.saturating_mul(backend.max_connections) / server.most().max(1)).max(1);
    let wanted: Vec<_> = server.backends.iter().map(|backend| (*backend, part(backend))).collect();
    let values = wanted.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(", ");
    let target =
        Derived::new(values, "⌊0.8 × max_connections of the database / proxies⌋, by host group as now")
            .input("max_connections of the database", limit, source)
            .input("proxies", proxies, "runtime_proxysql_servers")
            .input("one proxy", server.most(), "Σ max_connections of runtime_mysql_servers");
    let change =
        edits::ceilings(view, &wanted, target).coupled_with("the same on every other proxy of the cluster");
    let remedy = Remedy::new(
        format!("Let each proxy open at most {share} connections to {}", server.address()),
        "Connection_errors_max_connections of the database stays as it is",
    )
    .change(change);
    let seen = server.backends.iter().map(|backend| {
        view.seen(
            "runtime_mysql_servers",
            &format!("{} max_connections", edits::named(backend)),
            backend.max_connections,
        )
    });
    Outcome::confirmed(severity, line)
        .seen_all(seen)
        .seen(view.seen("runtime_proxysql_servers", "proxies", proxies))
        .seen(model::Observation::new(source, "max_connections", limit))
        .remedy(remedy)
}
