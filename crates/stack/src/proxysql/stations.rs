//! The limits of this layer: the connections that each ProxySQL may open to each server.

use model::Station;

use super::Pool;
use super::view::View;
use crate::{Evidence, services};

/// Each server of each host group of each ProxySQL.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(facts) = services::facts(&evidence.services.proxysql) else { return vec![] };
    let views = facts.proxies.iter().filter_map(|proxy| {
        let asked = proxy.asked.facts()?;
        Some(View { evidence, proxy, asked })
    });
    views.flat_map(|view| pools(&view)).collect()
}

/// What is busy is the mean of the readings. Clients that get no connection wait in ProxySQL, up to
/// `mysql-connect_timeout_server_max`.
#[expect(clippy::cast_precision_loss, reason = "counts of connections and statements")]
fn pools(view: &View<'_>) -> Vec<Station> {
    let seconds = view.evidence.seconds();
    let serving = view.asked.runtime.servers.iter().filter(|backend| backend.status != "OFFLINE_HARD");
    let station = |backend: &super::Backend| {
        let pools = view.pools(backend).ok().filter(|pools| !pools.is_empty())?;
        let place = format!("{}/{}:{}", backend.hostgroup, backend.host, backend.port);
        let id = format!("proxysql.pool:{}/{place}", view.proxy.address);
        let what = format!("connections of {} to {}", view.name(), super::edits::named(backend));
        let used: u64 = pools.iter().map(|pool| pool.used).sum();
        let grown = |of: fn(&Pool) -> u64| {
            let (first, last) = (pools.first()?, pools.get(1..)?.last()?);
            let grown = of(last).checked_sub(of(first))?;
            (seconds > 0.0).then(|| grown as f64 / seconds)
        };
        Some(Station {
            servers: Some(backend.max_connections as f64),
            busy: Some(used as f64 / pools.len() as f64),
            arrivals_per_s: grown(|pool| pool.queries),
            ..Station::new("proxysql", id, what)
        })
    };
    serving.filter_map(station).collect()
}
