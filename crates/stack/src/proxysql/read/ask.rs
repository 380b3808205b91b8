//! What the administration of one ProxySQL says, over MySQL's text protocol.

use std::collections::BTreeMap;

use host::{Host, HostError, Question, SqlTable};
use model::Unread;

use crate::proxysql::{Asked, Backend, Configuration, Pinning, Pool, ProxyCounters, VARIABLES, pinning};

/// The most digests that are looked at.
const DIGESTS: usize = 500;

/// The administration of one ProxySQL.
pub(super) struct Administration<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) address: String,
}

impl Administration<'_> {
    /// What acts, what is in memory, what a restart brings, and what keeps connections from being shared.
    pub(super) fn asked(&self) -> Result<Asked, Unread> {
        let version = self.rows(
            "proxysql-version",
            "SELECT variable_value FROM main.runtime_global_variables WHERE variable_name = 'admin-version'",
        )?;
        Ok(Asked {
            version: version.first().map(str::to_owned),
            runtime: self.configuration("runtime", "main.runtime_")?,
            memory: self.configuration("memory", "main.")?,
            disk: self.configuration("disk", "disk.")?,
            cluster: self.cluster()?,
            pinning: self.pinning()?,
        })
    }

    /// Servers, variables and rules of one of the three layers.
    fn configuration(&self, layer: &str, prefix: &str) -> Result<Configuration, Unread> {
        let servers = self.rows(
            &format!("proxysql-{layer}-servers"),
            &format!(
                "SELECT hostgroup_id, hostname, port, max_connections, status FROM {prefix}mysql_servers"
            ),
        )?;
        let names = VARIABLES.map(|name| format!("'{name}'")).join(", ");
        let variables = self.rows(
            &format!("proxysql-{layer}-variables"),
            &format!(
                "SELECT variable_name, variable_value FROM {prefix}global_variables WHERE variable_name IN ({names})"
            ),
        )?;
        let rules = self.rows(
            &format!("proxysql-{layer}-rules"),
            &format!(
                "SELECT rule_id, multiplex FROM {prefix}mysql_query_rules WHERE active = 1 AND multiplex IS NOT NULL"
            ),
        )?;
        Ok(Configuration {
            servers: rows(&servers).filter_map(|row| backend(&row)).collect(),
            variables: rows(&variables)
                .filter_map(|row| Some((row.text("variable_name")?, row.text("variable_value")?)))
                .collect(),
            multiplex_rules: rows(&rules)
                .filter_map(|row| Some((row.number("rule_id")?, row.number("multiplex")?)))
                .collect(),
        })
    }

    fn cluster(&self) -> Result<Vec<String>, Unread> {
        let table =
            self.rows("proxysql-cluster", "SELECT hostname, port FROM main.runtime_proxysql_servers")?;
        let proxies =
            rows(&table).filter_map(|row| Some(format!("{}:{}", row.text("hostname")?, row.number("port")?)));
        Ok(proxies.collect())
    }

    fn pinning(&self) -> Result<Vec<Pinning>, Unread> {
        let like = pinning::LIKE.map(|like| format!("digest_text LIKE '{like}'")).join(" OR ");
        let table = self.rows(
            "proxysql-digests",
            &format!(
                "SELECT digest_text, count_star FROM stats.stats_mysql_query_digest WHERE {like} \
                 ORDER BY count_star DESC LIMIT {DIGESTS}"
            ),
        )?;
        Ok(pinning::counted(
            rows(&table).filter_map(|row| Some((row.text("digest_text")?, row.number("count_star")?))),
        ))
    }

    /// What counts up.
    pub(super) fn counters(&self) -> Result<ProxyCounters, Unread> {
        let global = self
            .rows("proxysql-global", "SELECT Variable_Name, Variable_Value FROM stats.stats_mysql_global")?;
        let pools = self.rows(
            "proxysql-pools",
            "SELECT hostgroup, srv_host, srv_port, status, ConnUsed, ConnFree, ConnERR, Queries, Latency_us \
             FROM stats.stats_mysql_connection_pool",
        )?;
        let number = |row: Row<'_>| {
            let value: f64 = row.text("Variable_Value")?.parse().ok()?;
            Some((row.text("Variable_Name")?, value)).filter(|_| value.is_finite())
        };
        Ok(ProxyCounters {
            address: self.address.clone(),
            global: rows(&global).filter_map(number).collect::<BTreeMap<_, _>>(),
            pools: rows(&pools).filter_map(|row| pool(&row)).collect(),
            unread: None,
        })
    }

    fn rows(&self, name: &str, statement: &str) -> Result<SqlTable, Unread> {
        let question = Question::Sql {
            server: self.address.clone(),
            name: name.to_owned(),
            statement: statement.to_owned(),
        };
        let answer = self.host.ask(&question).map_err(|error| unread(&error))?;
        serde_json::from_slice(&answer).map_err(|error| {
            Unread::new(format!("{}: {error}", question.place()), "record the host again".to_owned())
        })
    }
}

fn unread(error: &HostError) -> Unread {
    let how = match error {
        HostError::Refused { .. } => {
            "put `user` and `password` of ProxySQL's administration below [proxysql-admin] of ~/.my.cnf (chmod 600), with \
             `host` and `port` where it is not 127.0.0.1:6032"
        }
        _ => {
            "see where its administration listens (admin-mysql_ifaces), and name it: narrows check --database ADDRESS:6032; \
             a tree holds its answers below /.narrows/sql"
        }
    };
    Unread::new(error.to_string(), how)
}

/// A row by the names of its columns.
struct Row<'a> {
    table: &'a SqlTable,
    cells: &'a [Option<String>],
}

fn rows(table: &SqlTable) -> impl Iterator<Item = Row<'_>> {
    table.rows.iter().map(move |cells| Row { table, cells })
}

impl Row<'_> {
    fn text(&self, column: &str) -> Option<String> {
        self.cells.get(self.table.column(column)?)?.clone()
    }

    fn number(&self, column: &str) -> Option<u64> {
        self.text(column)?.parse().ok()
    }
}

fn backend(row: &Row<'_>) -> Option<Backend> {
    Some(Backend {
        hostgroup: row.number("hostgroup_id")?,
        host: row.text("hostname")?,
        port: u16::try_from(row.number("port")?).ok()?,
        max_connections: row.number("max_connections")?,
        status: row.text("status").unwrap_or_default(),
    })
}

fn pool(row: &Row<'_>) -> Option<Pool> {
    Some(Pool {
        hostgroup: row.number("hostgroup")?,
        server: format!("{}:{}", row.text("srv_host")?, row.number("srv_port")?),
        status: row.text("status").unwrap_or_default(),
        used: row.number("ConnUsed")?,
        free: row.number("ConnFree")?,
        errors: row.number("ConnERR").unwrap_or_default(),
        queries: row.number("Queries").unwrap_or_default(),
        latency_us: row.number("Latency_us"),
    })
}
