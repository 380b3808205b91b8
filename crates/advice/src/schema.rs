//! Tables as they are.

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
    /// By `schema.table`.
    pub tables: BTreeMap<String, TableDefinition>,
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
    /// Whether anything used it since the server started; `None` where the server does not count that.
    pub used: Option<bool>,
}

/// A column of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexPart {
    /// The column.
    pub column: String,
    /// How many characters of it, where not all.
    pub prefix: Option<u64>,
    /// Whether it descends.
    pub descending: bool,
}
