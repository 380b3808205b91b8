//! More connections at once than the database's CPUs can serve.

use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::{Server, View, database_of};
use crate::proxysql::{Backend, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.pool-oversized",
    title: "ProxySQL lets more statements into the database at once than its CPUs serve",
    explains: &[],
    refutes: &[],
    document: include_str!("pool_oversized.md"),
    test,
};

/// Statements at once that a CPU of a database serves well while some of them wait for disks.
const PER_CPU: u64 = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (mut fine, mut missing) = (vec![], None);
    for server in view.servers() {
        let cpus = view.evidence.host.cpus.map(u64::from).filter(|_| server.is_here(view.evidence));
        let Some(cpus) = cpus else {
            missing = Some(Missing::new(
                format!("the CPUs of the database at {}", server.address()),
                "run narrows on its host; then max_connections ≈ CPUs × 4 to 8 / proxies",
            ));
            continue;
        };
        let (used, all) = (view.most_used(&server)?, view.cluster_size());
        let serves = cpus.saturating_mul(PER_CPU);
        let line = format!(
            "{}: up to {} connections to {}, {used} in use at most; {cpus} CPUs serve {serves} at once",
            view.name(),
            server.most(),
            server.address()
        );
        if used.saturating_mul(all) > serves {
            return Ok(oversized(
                view,
                &server,
                cpus,
                Outcome::confirmed(severity(view, &server, cpus), line),
            ));
        }
        if server.most().saturating_mul(all) > serves.saturating_mul(2) {
            let outcome = Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
                "an hour in which the connections are used",
                "watch ConnUsed of stats_mysql_connection_pool at the busiest hour",
            ));
            return Ok(oversized(view, &server, cpus, outcome));
        }
        fine.push(line);
    }
    match missing {
        Some(missing) => Err(missing),
        None if fine.is_empty() => Ok(Outcome::ruled_out(format!("{} has no servers", view.name()))),
        None => Ok(Outcome::ruled_out(fine.join("; "))),
    }
}

/// Threads that run beyond the CPUs slow one another down now.
#[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
fn severity(view: &View<'_>, server: &Server<'_>, cpus: u64) -> Severity {
    let database = database_of(view.evidence, server);
    let running =
        database.and_then(|found| found.asked.facts()?.status.get("Threads_running")?.parse::<f64>().ok());
    if running.is_some_and(|running| running > 2.0 * cpus as f64) {
        Severity::Limiting
    } else {
        Severity::Latent
    }
}

fn oversized(view: &View<'_>, server: &Server<'_>, cpus: u64, outcome: Outcome) -> Outcome {
    let proxies = view.cluster_size();
    let share = (cpus.saturating_mul(PER_CPU) / proxies).max(1);
    let part =
        |backend: &Backend| (share.saturating_mul(backend.max_connections) / server.most().max(1)).max(1);
    let wanted: Vec<_> = server.backends.iter().map(|backend| (*backend, part(backend))).collect();
    let values = wanted.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(", ");
    let target = Derived::new(values, "⌊CPUs × 8 / proxies⌋, by host group as now")
        .input("CPUs", cpus, "/proc/stat")
        .input("proxies", proxies, "runtime_proxysql_servers");
    let remedy = Remedy::new(
        format!("Let at most {share} connections of each proxy into {}", server.address()),
        "Threads_running falls, and statements per second do not",
    )
    .change(edits::ceilings(view, &wanted, target));
    let seen = server.backends.iter().map(|backend| {
        view.seen(
            "runtime_mysql_servers",
            &format!("{} max_connections", edits::named(backend)),
            backend.max_connections,
        )
    });
    outcome.seen_all(seen).remedy(remedy)
}
