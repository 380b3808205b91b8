//! One ProxySQL of the evidence, and the servers behind it.

use std::collections::BTreeMap;

use model::{Missing, Observation};

use super::{Asked, Backend, Pool, Proxy, ProxyCounters};
use crate::{Evidence, mysql, services};

/// A ProxySQL that let us in.
pub(super) struct View<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) proxy: &'a Proxy,
    pub(super) asked: &'a Asked,
}

/// A server behind ProxySQL, with the host groups it is in: each has connections of its own.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) backends: Vec<&'a Backend>,
}

impl Server<'_> {
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What one proxy opens at most.
    pub(super) fn most(&self) -> u64 {
        self.backends.iter().fold(0, |sum, backend| sum.saturating_add(backend.max_connections))
    }

    /// Whether it is on the host that the evidence is of.
    pub(super) fn is_here(&self, evidence: &Evidence) -> bool {
        let own = evidence.host.name.as_deref().is_some_and(|name| name == self.host);
        own || self.host == "localhost" || self.host == "::1" || self.host.starts_with("127.")
    }
}

impl<'a> View<'a> {
    pub(super) fn name(&self) -> String {
        format!("ProxySQL {}", self.proxy.address)
    }

    /// The servers that it sends statements to, each once.
    pub(super) fn servers(&self) -> Vec<Server<'a>> {
        let mut servers: BTreeMap<(&str, u16), Vec<&Backend>> = BTreeMap::new();
        let serving = self.asked.runtime.servers.iter().filter(|backend| backend.status != "OFFLINE_HARD");
        for backend in serving {
            servers.entry((&backend.host, backend.port)).or_default().push(backend);
        }
        let each = servers.into_iter();
        each.map(|((host, port), backends)| Server { host, port, backends }).collect()
    }

    /// How many proxies of the cluster send to the same servers.
    pub(super) fn cluster_size(&self) -> u64 {
        (self.asked.cluster.len() as u64).max(1)
    }

    /// A variable in effect.
    pub(super) fn variable(&self, name: &str) -> Option<&'a str> {
        self.asked.runtime.variables.get(name).map(String::as_str)
    }

    /// Its counters in each reading that has them, the earliest first.
    pub(super) fn counters(&self) -> Result<Vec<&'a ProxyCounters>, Missing> {
        let of = |reading: &'a crate::Reading| {
            let counters = reading.proxysql.facts()?;
            counters.proxies.iter().find(|counters| counters.address == self.proxy.address)
        };
        let all: Vec<_> = self.evidence.readings.iter().filter_map(of).collect();
        let read: Vec<_> = all.iter().copied().filter(|counters| counters.unread.is_none()).collect();
        if read.is_empty() {
            let unread = all.iter().find_map(|counters| counters.unread.as_ref());
            return Err(unread.map_or_else(
                || Missing::new("counters of ProxySQL", "read the live host: narrows check"),
                |unread| Missing::new(unread.why.clone(), unread.how_to_enable.clone()),
            ));
        }
        Ok(read)
    }

    /// How much a counter of `stats_mysql_global` grew over the window.
    ///
    /// # Errors
    /// When it was not read twice.
    pub(super) fn grown(&self, name: &str) -> Result<f64, Missing> {
        let counters = self.counters()?;
        let value =
            |counters: Option<&&ProxyCounters>| counters.and_then(|one| one.global.get(name)).copied();
        let missing = || {
            Missing::new(
                format!("{name} of stats_mysql_global, twice"),
                "read the live host over a window: narrows check",
            )
        };
        let last = counters.get(1..).and_then(<[_]>::last);
        let (Some(first), Some(last)) = (value(counters.first()), value(last)) else { return Err(missing()) };
        Ok((last - first).max(0.0))
    }

    /// A gauge of `stats_mysql_global` at its highest.
    pub(super) fn highest(&self, name: &str) -> Result<f64, Missing> {
        let counters = self.counters()?;
        let values = counters.iter().filter_map(|counters| counters.global.get(name).copied());
        values.reduce(f64::max).ok_or_else(|| {
            Missing::new(format!("{name} of stats_mysql_global"), "this version of ProxySQL may not count it")
        })
    }

    /// The connections to one backend, in each reading.
    pub(super) fn pools(&self, backend: &Backend) -> Result<Vec<&'a Pool>, Missing> {
        let server = format!("{}:{}", backend.host, backend.port);
        let is_its = |pool: &&Pool| pool.hostgroup == backend.hostgroup && pool.server == server;
        Ok(self.counters()?.into_iter().filter_map(|counters| counters.pools.iter().find(is_its)).collect())
    }

    /// The most connections to a server that were in use at once in any reading.
    pub(super) fn most_used(&self, server: &Server<'_>) -> Result<u64, Missing> {
        let mut most = 0;
        let counters = self.counters()?;
        for one in counters {
            let of = one.pools.iter().filter(|pool| pool.server == server.address());
            most = most.max(of.map(|pool| pool.used).sum());
        }
        Ok(most)
    }

    /// An answer of its administration.
    pub(super) fn seen(&self, table: &str, field: &str, value: impl ToString) -> Observation {
        Observation::new(format!("{} {table}", self.name()), field, value.to_string())
    }
}

/// `max_connections` of the database at a server's address, and where that was read.
///
/// # Errors
/// When that database was not read.
pub(super) fn limit_of(evidence: &Evidence, server: &Server<'_>) -> Result<(u64, String), Missing> {
    let address = server.address();
    let missing = || {
        Missing::new(
            format!("max_connections of the database at {address}"),
            format!("ask it too: narrows check --database {address}"),
        )
    };
    let found = database_of(evidence, server).ok_or_else(missing)?;
    let said = found.asked.facts().and_then(|asked| asked.variables.get("max_connections"));
    let configured = found.options.get("max_connections");
    let most = said.map(String::as_str).or(configured.map(|setting| setting.value.as_str()));
    let most = most.and_then(|text| text.parse().ok()).ok_or_else(missing)?;
    Ok((most, found.address.clone()))
}

/// The database of the evidence at a server's address.
pub(super) fn database_of<'a>(evidence: &'a Evidence, server: &Server<'_>) -> Option<&'a mysql::Server> {
    let facts = services::facts(&evidence.services.mysql).ok()?;
    let port = |found: &mysql::Server| {
        let said = found.asked.facts().and_then(|asked| asked.variables.get("port"));
        let set = found.options.get("port").map(|setting| &setting.value);
        said.or(set).and_then(|text| text.parse().ok()).unwrap_or(3306_u16)
    };
    let here = server.is_here(evidence);
    facts.servers.iter().find(|found| {
        found.address == server.address() || (here && found.process.is_some() && port(found) == server.port)
    })
}
