//! The server that is read.

use std::collections::BTreeSet;
use std::time::Duration;

use database::{Connection, Login};

use super::TrialError;
use super::literal::{Form, quoted, text};

/// Variables of a session that plans and results depend on.
const VARIABLES: [&str; 10] = [
    "sql_mode",
    "optimizer_switch",
    "join_buffer_size",
    "sort_buffer_size",
    "tmp_table_size",
    "max_heap_table_size",
    "group_concat_max_len",
    "optimizer_use_condition_selectivity",
    "collation_connection",
    "sql_auto_is_null",
];
/// Engines whose tables hold their rows themselves.
const ENGINES: [&str; 4] = ["InnoDB", "Aria", "MyISAM", "MEMORY"];
/// How much longer the client waits than the server lets a statement run.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that reads, and what it is connected to.
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) facts: SourceFacts,
}

/// What is true of the server.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceFacts {
    pub(super) schema: String,
    pub(super) version: String,
    pub(super) mariadb: bool,
    pub(super) charset: String,
    pub(super) collation: String,
    pub(super) lower_case: String,
    pub(super) schemas: BTreeSet<String>,
    /// Of a session: name and value.
    pub(super) variables: Vec<(String, String)>,
}

/// A table that can be copied.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceTable {
    pub(super) name: String,
    pub(super) create: String,
    pub(super) columns: Vec<(String, Form)>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) transactional: bool,
    /// The leading column of the primary key, where it holds integers.
    pub(super) key: Option<String>,
    /// Columns of integers by which an index begins.
    pub(super) leading: BTreeSet<String>,
}

impl Source {
    /// Connects, for reading alone.
    pub(super) fn open(login: &Login, schema: &str, statement_s: u64) -> Result<Self, TrialError> {
        let mut connection = Connection::open(login, Duration::from_secs(statement_s) + PATIENCE)?;
        let version = connection.query("SELECT VERSION()")?.first().unwrap_or_default().to_owned();
        let mariadb = version.to_lowercase().contains("mariadb");
        let names = VARIABLES.map(|name| format!("'{name}'")).join(",");
        let shown = connection.query(&format!("SHOW SESSION VARIABLES WHERE Variable_name IN ({names})"))?;
        let variables = shown.rows.into_iter().filter_map(|row| pair(&row)).collect();
        let schemas = connection.query("SHOW DATABASES")?.values("Database").map(str::to_lowercase).collect();
        let lower_case =
            connection.query("SELECT @@lower_case_table_names")?.first().unwrap_or("0").to_owned();
        let named = connection.query(&format!(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA \
             WHERE SCHEMA_NAME = {}",
            text(schema)
        ))?;
        let Some((charset, collation)) = named.rows.first().and_then(|row| pair(row)) else {
            return Err(TrialError::Refused(format!("it has no schema `{schema}` that this user may see")));
        };
        for statement in session(mariadb, statement_s) {
            connection.execute(&statement)?;
        }
        connection.execute(&format!("USE {}", quoted(schema)))?;
        connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
        let schema = schema.to_owned();
        let facts =
            SourceFacts { schema, version, mariadb, charset, collation, lower_case, schemas, variables };
        Ok(Self { connection, facts })
    }

    /// Reads what one table is.
    pub(super) fn table(&mut self, name: &str) -> Result<SourceTable, TrialError> {
        let of = format!("TABLE_SCHEMA = {} AND TABLE_NAME = {}", text(&self.facts.schema), text(name));
        let known = self.connection.query(&format!(
            "SELECT TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, TABLE_NAME FROM information_schema.TABLES WHERE {of}"
        ))?;
        let cell = |at: usize| known.rows.first().and_then(|row| row.get(at)?.as_deref()).unwrap_or_default();
        if known.rows.is_empty() {
            return Err(TrialError::table(name, "there is no such table, or this user may not read it"));
        }
        if cell(0) != "BASE TABLE" {
            return Err(TrialError::table(name, format!("it is a {}", cell(0).to_lowercase())));
        }
        if ENGINES.iter().all(|engine| !engine.eq_ignore_ascii_case(cell(1))) {
            return Err(TrialError::table(name, format!("its engine {} keeps its rows elsewhere", cell(1))));
        }
        let mut table = SourceTable {
            name: cell(4).to_owned(),
            rows: cell(2).parse().unwrap_or(0),
            bytes: cell(3).parse().unwrap_or(0),
            transactional: cell(1).eq_ignore_ascii_case("InnoDB"),
            ..SourceTable::default()
        };
        let created = self.connection.query(&format!("SHOW CREATE TABLE {}", quoted(name)))?;
        table.create = without_foreign_keys(created.values("Create Table").next().unwrap_or_default());
        self.columns(&mut table, &of)?;
        Ok(table)
    }

    fn columns(&mut self, table: &mut SourceTable, of: &str) -> Result<(), TrialError> {
        let columns = self.connection.query(&format!(
            "SELECT COLUMN_NAME, DATA_TYPE, EXTRA FROM information_schema.COLUMNS WHERE {of} ORDER BY ORDINAL_POSITION"
        ))?;
        let mut integers = BTreeSet::new();
        for row in &columns.rows {
            let [Some(name), Some(kind), extra] = row.as_slice() else { continue };
            if kind.to_lowercase().ends_with("int") {
                integers.insert(name.to_lowercase());
            }
            let extra = extra.as_deref().unwrap_or_default().to_uppercase();
            if !extra.contains("GENERATED") || extra.contains("DEFAULT_GENERATED") {
                table.columns.push((name.clone(), Form::of(kind)));
            }
        }
        let keys = self.connection.query(&format!(
            "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE {of} AND SEQ_IN_INDEX = 1"
        ))?;
        for (index, column) in keys.rows.iter().filter_map(|row| pair(row)) {
            if integers.contains(&column.to_lowercase()) {
                table.leading.insert(column.to_lowercase());
                if index == "PRIMARY" {
                    table.key = Some(column);
                }
            }
        }
        Ok(())
    }
}

fn pair(row: &[Option<String>]) -> Option<(String, String)> {
    Some((row.first()?.clone()?, row.get(1)?.clone()?))
}

fn session(mariadb: bool, statement_s: u64) -> Vec<String> {
    let deadline = if mariadb {
        format!("SET SESSION max_statement_time = {statement_s}")
    } else {
        format!("SET SESSION max_execution_time = {}", statement_s.saturating_mul(1000))
    };
    let fixed = [
        "SET NAMES utf8mb4",
        "SET SESSION sql_mode = '', sql_quote_show_create = 1, time_zone = '+00:00'",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION READ ONLY",
    ];
    fixed.into_iter().map(str::to_owned).chain([deadline]).collect()
}

/// The table's definition without its foreign keys, which would bind it to tables that are not copied.
fn without_foreign_keys(create: &str) -> String {
    let lines: Vec<&str> = create
        .lines()
        .filter(|line| !(line.trim_start().starts_with("CONSTRAINT `") && line.contains(" FOREIGN KEY (")))
        .collect();
    let text = lines.join("\n");
    text.replace(",\n)", "\n)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_keys_are_taken_out_and_nothing_else() {
        let create = "CREATE TABLE `a` (\n  `b` int,\n  KEY `k` (`b`),\n  CONSTRAINT `f` FOREIGN KEY (`b`) REFERENCES `c` (`d`) \
                      ON DELETE CASCADE\n) ENGINE=InnoDB";
        assert_eq!(
            without_foreign_keys(create),
            "CREATE TABLE `a` (\n  `b` int,\n  KEY `k` (`b`)\n) ENGINE=InnoDB"
        );
    }
}
