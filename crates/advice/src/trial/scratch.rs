//! The two copies: one stays as it is, the other takes the advice.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use database::{Connection, DatabaseError, Login};

use super::literal::quoted;
use super::permit::Permit;
use super::server::{Setup, ThrowAway};
use super::source::{SourceFacts, SourceTable};
use super::{Limits, Place, Stop, TrialError};

/// The beginning of every schema of a trial.
pub(super) const PREFIX: &str = "narrows_trial_";
/// The table by which a schema is known to be of a trial.
pub(super) const MARK: &str = "narrows_trial_mark";
/// How much longer the client waits than the server lets a statement run, in seconds.
const PATIENCE_S: u64 = 10;
/// Memory of the throw-away server beyond twice what is copied, in bytes.
const BESIDE: u64 = 64 << 20;

/// Both copies. What is declared first is dropped first: connections, schemas, the server.
pub(super) struct Scratch {
    pub(super) plain: Connection,
    pub(super) changed: Connection,
    pub(super) mariadb: bool,
    /// The server, in words.
    pub(super) said: String,
    pub(super) own_server: bool,
    pub(super) permit: Permit,
    schemas: Schemas,
    _server: Option<ThrowAway>,
}

/// Schemas that are dropped with this.
struct Schemas {
    login: Login,
    patience: Duration,
    unlogged: bool,
    names: [String; 2],
}

impl Scratch {
    /// Makes both, empty.
    pub(super) fn make(
        place: Place,
        source: &Login,
        facts: &SourceFacts,
        limits: &Limits,
        stop: &Stop,
    ) -> Result<Self, TrialError> {
        let buffer_pool = limits.bytes.saturating_mul(2) + BESIDE;
        let collation = (facts.charset.clone(), facts.collation.clone());
        let lower_case = Some(facts.lower_case.clone());
        let setup = Setup { buffer_pool, collation: facts.mariadb.then_some(collation), lower_case };
        let server = match place {
            Place::ThrowAway => Some(ThrowAway::start(&setup, stop)?),
            Place::SameServer => None,
        };
        let login = server.as_ref().map_or_else(|| source.clone(), ThrowAway::login);
        let patience =
            Duration::from_secs(limits.copy_s.max(limits.statement_s).max(limits.step_s) + PATIENCE_S);
        let mut plain = Connection::open(&login, patience)?;
        let mut changed = Connection::open(&login, patience)?;
        breaks(stop, &login, [plain.id(), changed.id()]);
        let version = plain.query("SELECT VERSION()")?.first().unwrap_or_default().to_owned();
        let mariadb = version.to_lowercase().contains("mariadb");
        let unlogged = not_logged([&mut plain, &mut changed])?;
        let name = format!("{PREFIX}{:08x}", RandomState::new().build_hasher().finish() as u32);
        let schemas =
            Schemas { login, patience, unlogged, names: [format!("{name}_a"), format!("{name}_b")] };
        for (connection, schema) in [&mut plain, &mut changed].into_iter().zip(&schemas.names) {
            create(connection, schema, facts, mariadb == facts.mariadb)?;
        }
        let said = match &server {
            Some(_) => format!("throw-away server, {version}, {} MiB of memory for data", buffer_pool >> 20),
            None => format!("schemas {name}_a and {name}_b on this server, {version}"),
        };
        let found = plain.query("SHOW DATABASES")?;
        let schemas_there: BTreeSet<String> = found.values("Database").map(str::to_lowercase).collect();
        let permit = Permit {
            source: facts.schema.clone(),
            tables: BTreeSet::new(),
            schemas: schemas_there.union(&facts.schemas).cloned().collect(),
            escapes: !facts
                .variables
                .iter()
                .any(|(name, value)| name == "sql_mode" && value.contains("NO_BACKSLASH")),
        };
        Ok(Self {
            plain,
            changed,
            mariadb,
            said,
            own_server: server.is_some(),
            permit,
            schemas,
            _server: server,
        })
    }

    /// Makes a table in the first copy.
    pub(super) fn create_table(&mut self, table: &SourceTable, same_kind: bool) -> Result<(), TrialError> {
        self.permit.tables.insert(table.name.to_lowercase());
        // A collation of MySQL 8 that MariaDB does not know has a likeness there.
        let create = if same_kind {
            table.create.clone()
        } else {
            table.create.replace("utf8mb4_0900_ai_ci", "utf8mb4_unicode_ci")
        };
        self.plain.execute(&create)?;
        Ok(())
    }

    /// Makes the second copy like the first.
    pub(super) fn repeat(&mut self, tables: &[SourceTable]) -> Result<(), TrialError> {
        let [plain, changed] = &self.schemas.names;
        let there = self.changed.query("SHOW TABLES")?;
        for name in there.rows.iter().filter_map(|row| row.first()?.as_deref()).filter(|name| *name != MARK) {
            self.changed.execute(&format!("DROP TABLE IF EXISTS {}", quoted(name)))?;
        }
        for table in tables {
            let name = quoted(&table.name);
            let (from, to) = (format!("{}.{name}", quoted(plain)), format!("{}.{name}", quoted(changed)));
            self.changed.execute(&format!("CREATE TABLE {to} LIKE {from}"))?;
            let columns =
                table.columns.iter().map(|(column, _)| quoted(column)).collect::<Vec<_>>().join(", ");
            self.changed.execute(&format!("INSERT INTO {to} ({columns}) SELECT {columns} FROM {from}"))?;
        }
        for connection in [&mut self.plain, &mut self.changed] {
            analyze(connection)?;
        }
        Ok(())
    }

    /// Sets both sessions up as the source's are, for running its queries.
    pub(super) fn run_as(&mut self, facts: &SourceFacts) -> Vec<String> {
        let mut refused = BTreeSet::new();
        for connection in [&mut self.plain, &mut self.changed] {
            for (name, value) in &facts.variables {
                let number = value.parse::<u64>().is_ok();
                let value = if number { value.clone() } else { format!("'{}'", value.replace('\'', "''")) };
                if connection.execute(&format!("SET SESSION {name} = {value}")).is_err() {
                    refused.insert(name.clone());
                }
            }
        }
        refused.into_iter().collect()
    }

    /// Sets the longest time of a statement in the second copy.
    pub(super) fn limit(&mut self, seconds: u64) -> Result<(), TrialError> {
        for connection in [&mut self.plain, &mut self.changed] {
            connection.execute(&if self.mariadb {
                format!("SET SESSION max_statement_time = {seconds}")
            } else {
                format!("SET SESSION max_execution_time = {}", seconds.saturating_mul(1000))
            })?;
        }
        Ok(())
    }

    /// Removes the schemas now, and says when that fails.
    pub(super) fn end(self) -> Result<(), TrialError> {
        let Self { plain, changed, mut schemas, _server, .. } = self;
        drop((plain, changed));
        Ok(schemas.remove()?)
    }
}

/// Reads statistics of every table anew.
pub(super) fn analyze(connection: &mut Connection) -> Result<(), TrialError> {
    let there = connection.query("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")?;
    for name in there.rows.iter().filter_map(|row| row.first()?.as_deref()) {
        connection.query(&format!("ANALYZE TABLE {}", quoted(name)))?;
    }
    Ok(())
}

fn create(
    connection: &mut Connection,
    schema: &str,
    facts: &SourceFacts,
    same_kind: bool,
) -> Result<(), TrialError> {
    let SourceFacts { charset, collation, .. } = facts;
    let collate = if same_kind { format!(" COLLATE {collation}") } else { String::new() };
    connection.execute(&format!("CREATE DATABASE {} CHARACTER SET {charset}{collate}", quoted(schema)))?;
    connection.execute(&format!("USE {}", quoted(schema)))?;
    connection.execute(&format!("CREATE TABLE {MARK} (made_at DATETIME NOT NULL)"))?;
    connection.execute(&format!("INSERT INTO {MARK} VALUES (UTC_TIMESTAMP())"))?;
    connection.execute("SET NAMES utf8mb4")?;
    connection.execute(
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00'",
    )?;
    Ok(())
}

/// Keeps the copies out of the log of changes that replicas follow; whether that took a statement.
fn not_logged(connections: [&mut Connection; 2]) -> Result<bool, TrialError> {
    for connection in connections {
        if connection.query("SELECT @@log_bin")?.first() != Some("1") {
            return Ok(false);
        }
        if let Err(error) = connection.execute("SET SESSION sql_log_bin = 0") {
            return Err(TrialError::Refused(format!(
                "it logs changes for its replicas, and this user may not keep the copies out of that ({error}); try on a \
                 throw-away server"
            )));
        }
    }
    Ok(true)
}

fn breaks(stop: &Stop, login: &Login, connections: [u32; 2]) {
    let login = login.clone();
    stop.breaks(move || {
        if let Ok(mut connection) = Connection::open(&login, Duration::from_secs(PATIENCE_S)) {
            for id in connections {
                let _ = connection.execute(&format!("KILL {id}"));
            }
        }
    });
}

impl Schemas {
    fn remove(&mut self) -> Result<(), DatabaseError> {
        let mut connection = Connection::open(&self.login, self.patience)?;
        if self.unlogged {
            connection.execute("SET SESSION sql_log_bin = 0")?;
        }
        for name in self.names.iter().filter(|name| name.starts_with(PREFIX)) {
            connection.execute(&format!("DROP DATABASE IF EXISTS {}", quoted(name)))?;
        }
        self.names = [String::new(), String::new()];
        Ok(())
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        if self.names.iter().any(|name| !name.is_empty()) {
            let _ = self.remove();
        }
    }
}
