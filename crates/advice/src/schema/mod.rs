//! Tables as they are.

mod create;
pub(crate) use create::is_text;
mod dump;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// MariaDB, as opposed to MySQL and Percona Server.
    pub mariadb: bool,
    /// The version, as `(10, 11, 6)`.
    pub version: (u32, u32, u32),
}

/// Tables of a server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schema {
    /// The server's dialect.
    pub dialect: Dialect,
    /// The schema (database) that unqualified names mean.
    pub current: Option<String>,
    /// By `schema.table`; by `table` where the schema is not known.
    pub tables: BTreeMap<String, TableDefinition>,
    /// What counts the use of indexes, and for how long; `None` where nothing does.
    pub counted: Option<Counted>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// What counts the use of indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// `performance_schema`, or `userstat`.
    pub source: String,
    /// For how long at most: seconds since the server started.
    pub uptime_s: u64,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableDefinition {
    /// The schema.
    pub schema: String,
    /// The table.
    pub name: String,
    /// `InnoDB`, `MyISAM` …
    pub engine: String,
    /// Rows, as the server estimates.
    pub rows: Option<u64>,
    /// Bytes of data.
    pub data_bytes: Option<u64>,
    /// Bytes of indexes.
    pub index_bytes: Option<u64>,
    /// `utf8mb4_unicode_ci`.
    pub collation: Option<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Indexes, `PRIMARY` first.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type as the server writes it: `bigint(20) unsigned`.
    pub kind: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// `utf8mb4_unicode_ci`, for text.
    pub collation: Option<String>,
}

/// What an index is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexKind {
    /// A B-tree.
    #[default]
    Btree,
    /// An R-tree.
    Spatial,
    /// Words.
    Fulltext,
    /// A hash.
    Hash,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Index {
    /// The name; `PRIMARY` for the primary key.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// What it is.
    pub kind: IndexKind,
    /// Its columns in order.
    pub parts: Vec<IndexPart>,
    /// Distinct values over all parts, as the server estimates.
    pub cardinality: Option<u64>,
    /// Bytes on disk, as InnoDB's statistics say.
    pub bytes: Option<u64>,
    /// Whether anything used it since the server started; `None` where the server does not count that.
    pub used: Option<bool>,
    /// Whether the optimizer may not use it: invisible (MySQL) or ignored (MariaDB).
    pub hidden: bool,
}

/// A column of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexPart {
    /// The column, or the expression in parentheses.
    pub column: String,
    /// How many characters of it, where not all.
    pub prefix: Option<u64>,
    /// Whether it descends.
    pub descending: bool,
    /// Distinct values of this part and those before it, as the server estimates.
    pub distinct: Option<u64>,
}

impl Dialect {
    /// Whose SQL a server speaks, by what it says of its version: `10.11.6-MariaDB-0+deb12u1`, `8.0.36`.
    pub fn of_version(text: &str) -> Self {
        let mariadb = text.to_ascii_lowercase().contains("mariadb");
        // Servers of MariaDB call themselves 5.5.5 first where old replicas listen.
        let text = text.strip_prefix("5.5.5-").filter(|_| mariadb).unwrap_or(text);
        let mut numbers =
            text.split(|character: char| !character.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self { mariadb, version: (next(), next(), next()) }
    }

    /// Whether it is MySQL (or Percona Server) of at least a version.
    pub fn is_mysql(&self, version: (u32, u32, u32)) -> bool {
        !self.mariadb && self.version >= version
    }

    /// Whether it is MariaDB of at least a version.
    pub fn is_mariadb(&self, version: (u32, u32, u32)) -> bool {
        self.mariadb && self.version >= version
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor, patch) = self.version;
        let name = if self.mariadb { "MariaDB" } else { "MySQL" };
        write!(formatter, "{name} {major}.{minor}.{patch}")
    }
}

impl Schema {
    /// Adds a table, replacing one of the same name.
    pub fn insert(&mut self, table: TableDefinition) {
        let key = if table.schema.is_empty() {
            table.name.clone()
        } else {
            format!("{}.{}", table.schema, table.name)
        };
        self.tables.insert(key, table);
    }

    /// A table by name: of the schema that is named, or else of the current one, or else the only one of that name.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&TableDefinition> {
        let schema = schema.or(self.current.as_deref());
        let named = |table: &&TableDefinition| table.name.eq_ignore_ascii_case(name);
        let mut all = self.tables.values().filter(named);
        match schema {
            Some(schema) => {
                all.find(|table| table.schema.is_empty() || table.schema.eq_ignore_ascii_case(schema))
            }
            None => {
                let first = all.next();
                first.filter(|_| all.next().is_none())
            }
        }
    }
}

impl TableDefinition {
    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// An index by name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name.eq_ignore_ascii_case(name))
    }

    /// Its name as a statement writes it: `` `schema`.`table` ``, or `` `table` ``.
    pub fn quoted(&self) -> String {
        match self.schema.is_empty() {
            true => quoted(&self.name),
            false => format!("{}.{}", quoted(&self.schema), quoted(&self.name)),
        }
    }

    /// The columns of the primary key, in order; empty where there is none.
    pub fn primary_key(&self) -> Vec<&str> {
        let primary = self.index("PRIMARY").map(|index| index.parts.as_slice()).unwrap_or_default();
        primary.iter().map(|part| part.column.as_str()).collect()
    }
}

/// A name in backticks.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Text as a literal of SQL, whatever the SQL mode says of backslashes.
pub(crate) fn text(value: &str) -> String {
    match value.contains('\\') {
        false => format!("'{}'", value.replace('\'', "''")),
        true => format!(
            "CONVERT(0x{} USING utf8mb4)",
            value.bytes().map(|byte| format!("{byte:02X}")).collect::<String>()
        ),
    }
}
