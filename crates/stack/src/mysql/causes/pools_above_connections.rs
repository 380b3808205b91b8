//! Workers of all hosts that together want more connections than the server takes.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use super::connections_exhausted::connection_bytes;
use crate::mysql::beside::{text, whole};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{Asked, edits, verdicts};
use crate::php_fpm::view::{View as Pool, pools};
use crate::php_fpm::{self, Uses};
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.pools-above-connections",
    title: "The workers of all hosts may want more connections than the database takes",
    explains: &[],
    refutes: &[],
    document: include_str!("pools_above_connections.md"),
    test,
};

/// This share of the connections may be the pools'; the rest is for jobs, monitoring and administrators.
const SHARE: f64 = 0.8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

/// The workers that may connect.
struct Workers<'a> {
    pools: Vec<Pool<'a>>,
    /// Σ `pm.max_children` of this host's pools that use it.
    here: f64,
    /// Connections from other hosts now.
    others: f64,
    /// How many other hosts those are.
    hosts: usize,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let most = view.needs("max_connections")?;
    let asked = view.asked_for("connections")?;
    let workers = workers(view, asked)?;
    if workers.pools.is_empty() {
        return Ok(Outcome::ruled_out(format!("no pool of this host is known to use {}", view.name())));
    }
    if workers.hosts == 0 && view.is_here() {
        let line = format!(
            "{}: only this host connects; php-fpm.pool-larger-than-database compares its pools",
            view.name()
        );
        return Ok(Outcome::ruled_out(line));
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of hosts")]
    let hosts = if view.is_here() { workers.hosts as f64 + 1.0 } else { (workers.hosts as f64).max(1.0) };
    // Elsewhere, this host's own connections are among those of the others.
    let sure = if view.is_here() { workers.here + workers.others } else { workers.here };
    let likely = sure.max(workers.here * hosts);
    let each = workers.pools.iter().map(|pool| format!("{} {}", pool.name(), pool.most()));
    let line = format!(
        "{}: {} here, {} hosts connect with {} connections: up to {} if all are alike, of {}",
        view.name(),
        each.collect::<Vec<_>>().join(" + "),
        number_text(hosts),
        number_text(view.gauge("Threads_connected").unwrap_or(workers.others)),
        number_text(likely),
        number_text(most)
    );
    let outcome = if sure > most {
        let outcome = Outcome::confirmed(Severity::Latent, line);
        outcome.remedy(more(view, &workers, likely)).remedy(fewer(&workers, most, likely))
    } else if likely > most {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "pools of the other hosts",
            "run narrows on each: the sum of pm.max_children over all must stay below 0.8 × max_connections",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    let used = view.gauge("Max_used_connections");
    Ok(outcome
        .seen_all(view.seen_variable("max_connections"))
        .seen(Observation::new("Σ pm.max_children of the pools that use it", "workers here", workers.here))
        .seen(Observation::new(
            view.source("SHOW PROCESSLIST"),
            "connections from other hosts",
            workers.others,
        ))
        .seen_all(used.map(|used| view.seen(STATUS, "Max_used_connections", used))))
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn workers<'a>(view: &View<'a>, asked: &Asked) -> Result<Workers<'a>, Missing> {
    let uses = |pool: &Pool<'_>| match php_fpm::uses(pool) {
        Uses::Local => view.is_here(),
        Uses::Remote(host) => !view.is_here() && names(&host, &view.server.address),
        Uses::NotKnown => false,
    };
    let pools: Vec<_> = pools(view.evidence)?.into_iter().filter(Pool::runs).filter(uses).collect();
    let here = pools.iter().map(|pool| f64::from(pool.most())).sum();
    let others = asked.processlist.hosts.iter().filter(|(host, _)| !is_local(host));
    let others: Vec<_> = others.map(|(_, connections)| *connections as f64).collect();
    Ok(Workers { pools, here, others: others.iter().sum(), hosts: others.len() })
}

/// Whether `DB_HOST` names the server at an address.
fn names(host: &str, address: &str) -> bool {
    let name = |text: &str| text.rsplit_once(':').map_or(text, |(name, _)| name).to_ascii_lowercase();
    name(host) == name(address)
}

fn is_local(host: &str) -> bool {
    host.is_empty() || host == "localhost" || host == "::1" || host.starts_with("127.")
}

const MOVES: &str = "Connection_errors_max_connections stays as it is with all workers busy";
const METRIC: &str = "mysql.Connection_errors_max_connections/s";

fn more(view: &View<'_>, workers: &Workers<'_>, likely: f64) -> Remedy {
    let wanted = (likely / SHARE).ceil();
    let mut target = Derived::new(whole(wanted), "⌈workers of all hosts / 0.8⌉")
        .input(
            "workers of all hosts",
            whole(likely),
            "Σ pm.max_children here, as many on each host that connects",
        )
        .input("workers here", whole(workers.here), "Σ pm.max_children of the pools that use it");
    let memory = connection_bytes(view).map(|each| text(each * wanted));
    if let Some(memory) = &memory {
        target = target.input("memory of all connections at most", memory, "thread_stack and buffers");
    }
    let change = edits::set(view, "max_connections", target)
        .coupled_with(&format!(
            "memory: up to {} with all connections busy",
            memory.as_deref().unwrap_or("as much again")
        ))
        .coupled_with("open_files_limit")
        .risks("more statements at once may each be slower than fewer");
    Remedy::new(format!("Let {} take {} connections", view.name(), number_text(wanted)), MOVES)
        .change(change)
        .lowers(METRIC)
}

fn fewer(workers: &Workers<'_>, most: f64, likely: f64) -> Remedy {
    let factor = (SHARE * most / likely).min(1.0);
    let remedies = workers.pools.iter().map(|pool| {
        let size = (f64::from(pool.most()) * factor).floor().max(1.0);
        let target =
            Derived::new(whole(size), "⌊pm.max_children × 0.8 × max_connections / workers of all hosts⌋")
                .input("pm.max_children", pool.most(), "the pool's file")
                .input("max_connections", whole(most), "SHOW GLOBAL VARIABLES")
                .input(
                    "workers of all hosts",
                    whole(likely),
                    "Σ pm.max_children here, as many on each host that connects",
                );
        let change = php_fpm::smaller(pool, size, target);
        Remedy::new(format!("Let {} have {} workers at most, on each host", pool.name(), whole(size)), MOVES)
            .change(change)
            .lowers(METRIC)
    });
    together(remedies).unwrap_or_else(|| Remedy::new("fewer workers", MOVES))
}
