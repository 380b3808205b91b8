//! What is known of each ProxySQL.

use std::collections::BTreeMap;

use model::{Layered, Unread};
use serde::{Deserialize, Serialize};

/// Every ProxySQL of the host, and those elsewhere that the user named; read once per window, at its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each proxy.
    pub proxies: Vec<Proxy>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// One ProxySQL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proxy {
    /// Where its administration listens, as `127.0.0.1:6032`. The same in [`ProxyCounters`].
    pub address: String,
    /// Its process; `None` when it does not run here.
    pub pid: Option<u32>,
    /// Its configuration file.
    pub file: Option<String>,
    /// What the file says: read only until the disk database exists.
    pub configured: Configuration,
    /// What the administration tables say.
    pub asked: Layered<Asked>,
}

/// Servers, users and variables, wherever they stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// `mysql_servers`.
    pub servers: Vec<Backend>,
    /// `global_variables`; passwords are taken out.
    pub variables: BTreeMap<String, String>,
    /// Rules that set `multiplex`, by `rule_id`.
    pub multiplex_rules: BTreeMap<u64, u64>,
}

/// A server behind the proxy (`mysql_servers`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backend {
    /// `hostgroup_id`.
    pub hostgroup: u64,
    /// `hostname`.
    pub host: String,
    /// `port`.
    pub port: u16,
    /// `max_connections`: what this proxy opens at most.
    pub max_connections: u64,
    /// `status`.
    pub status: String,
}

/// What the administration says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The version.
    pub version: Option<String>,
    /// The `runtime_` tables: what acts.
    pub runtime: Configuration,
    /// The tables in memory: what `LOAD … TO RUNTIME` would bring.
    pub memory: Configuration,
    /// The `disk.` tables: what a restart brings.
    pub disk: Configuration,
    /// `proxysql_servers`: proxies of the same cluster, as `host:port`, this one among them.
    pub cluster: Vec<String>,
    /// Statements by digest that keep a connection to themselves, with how often each came: the reasons against multiplexing.
    pub pinning: Vec<Pinning>,
}

/// Statements that keep a connection to their client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pinning {
    /// Why: `SQL_CALC_FOUND_ROWS`, `user variable`, `transaction`, `temporary table`, `LOCK TABLES`, `GET_LOCK` …
    pub reason: String,
    /// How often statements of this kind came (`stats_mysql_query_digest`).
    pub count: u64,
    /// The digest text of the most frequent.
    pub example: String,
}

/// What counts up in each proxy, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Each proxy.
    pub proxies: Vec<ProxyCounters>,
}

/// The counters of one proxy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyCounters {
    /// As [`Proxy::address`].
    pub address: String,
    /// `stats_mysql_global`, as numbers.
    pub global: BTreeMap<String, f64>,
    /// `stats_mysql_connection_pool`.
    pub pools: Vec<Pool>,
    /// Why it gave none.
    pub unread: Option<Unread>,
}

/// The connections to one backend.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    /// `hostgroup`.
    pub hostgroup: u64,
    /// `srv_host:srv_port`.
    pub server: String,
    /// `status`.
    pub status: String,
    /// `ConnUsed`.
    pub used: u64,
    /// `ConnFree`.
    pub free: u64,
    /// `ConnERR`, counted.
    pub errors: u64,
    /// `Queries`, counted.
    pub queries: u64,
    /// `Latency_us`.
    pub latency_us: Option<u64>,
}

/// The variables that are read of all (`global_variables`): none of them is secret.
pub(super) const VARIABLES: [&str; 14] = [
    "mysql-auto_increment_delay_multiplex",
    "mysql-connect_retries_on_failure",
    "mysql-connect_timeout_server",
    "mysql-connect_timeout_server_max",
    "mysql-connection_delay_multiplex_ms",
    "mysql-connection_max_age_ms",
    "mysql-free_connections_pct",
    "mysql-max_connections",
    "mysql-multiplexing",
    "mysql-session_idle_ms",
    "mysql-shun_on_failures",
    "mysql-shun_recovery_time_sec",
    "mysql-threads",
    "mysql-throttle_connections_per_sec_to_hostgroup",
];
