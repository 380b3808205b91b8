//! Tables over a connection.

use std::collections::{BTreeMap, BTreeSet};

use database::{Connection, DatabaseError, Table};

use super::{Column, Counted, Dialect, Index, IndexKind, IndexPart, Schema, TableDefinition, text};

impl Schema {
    /// Reads tables of a database from `information_schema`: those that are named, or all.
    ///
    /// # Errors
    /// Where the server does not answer or refuses `information_schema`. What only adds to it (the use and size of
    /// indexes) is noted in [`Schema::notes`] instead.
    pub fn read(
        connection: &mut Connection,
        database: &str,
        tables: Option<&BTreeSet<String>>,
    ) -> Result<Self, DatabaseError> {
        let version = connection.query("SELECT VERSION()")?;
        let dialect = Dialect::of_version(version.first().unwrap_or_default());
        let mut schema = Self { dialect, current: Some(database.to_owned()), ..Self::default() };
        let within = within("table_schema", "table_name", database, tables);
        let found = connection.query(&format!(
            "SELECT table_name AS table_name, engine AS engine, table_rows AS table_rows, data_length AS data_length, \
             index_length AS index_length, table_collation AS table_collation FROM information_schema.tables \
             WHERE table_type = 'BASE TABLE' AND {within}"
        ))?;
        for row in rows(&found) {
            schema.insert(table(database, &row));
        }
        let found = connection.query(&format!(
            "SELECT table_name AS table_name, column_name AS column_name, column_type AS column_type, \
             is_nullable AS is_nullable, collation_name AS collation_name FROM information_schema.columns \
             WHERE {within} ORDER BY table_name, ordinal_position"
        ))?;
        for row in rows(&found) {
            if let Some(table) = schema.named(database, row.text("table_name")) {
                table.columns.push(column(&row));
            }
        }
        // Every column, because those that say whether an index is hidden or made of an expression depend on the server.
        let found = connection.query(&format!(
            "SELECT * FROM information_schema.statistics WHERE {within} ORDER BY table_name, index_name, seq_in_index"
        ))?;
        for row in rows(&found) {
            if let Some(table) = schema.named(database, row.text("table_name")) {
                add_part(table, &row);
            }
        }
        for table in schema.tables.values_mut() {
            table.indexes.sort_by_key(|index| index.name != "PRIMARY");
        }
        schema.read_sizes(connection, database);
        schema.read_use(connection, database);
        Ok(schema)
    }

    fn named(&mut self, database: &str, table: &str) -> Option<&mut TableDefinition> {
        self.tables.get_mut(&format!("{database}.{table}"))
    }

    fn read_sizes(&mut self, connection: &mut Connection, database: &str) {
        let found = connection.query(&format!(
            "SELECT table_name AS table_name, index_name AS index_name, stat_value * @@innodb_page_size AS bytes \
             FROM mysql.innodb_index_stats WHERE stat_name = 'size' AND database_name = {}",
            text(database)
        ));
        match found {
            Ok(found) => {
                for row in rows(&found) {
                    let bytes = row.number("bytes");
                    if let Some(table) = self.named(database, row.text("table_name")) {
                        let name = row.text("index_name");
                        let mut indexes = table.indexes.iter_mut();
                        if let Some(index) = indexes.find(|index| index.name.eq_ignore_ascii_case(name)) {
                            index.bytes = bytes;
                        }
                    }
                }
            }
            Err(error) => self.notes.push(format!("the sizes of indexes are not known: {error}")),
        }
    }

    /// Which indexes were used: by `performance_schema` (on by default in MySQL), or by MariaDB's `userstat`.
    fn read_use(&mut self, connection: &mut Connection, database: &str) {
        let uptime = connection.query("SHOW GLOBAL STATUS LIKE 'Uptime'");
        let uptime = uptime.ok().and_then(|table| table.values("Value").next()?.parse().ok());
        let Some(uptime_s) = uptime else { return };
        let (source, used) = match used(connection, database) {
            Ok(Some(used)) => used,
            Ok(None) => return,
            Err(error) => return self.notes.push(format!("the use of indexes is not known: {error}")),
        };
        self.counted = Some(Counted { source: source.to_owned(), uptime_s });
        for table in self.tables.values_mut() {
            for index in &mut table.indexes {
                index.used = Some(used.contains(&(table.name.clone(), index.name.clone())));
            }
        }
    }
}

/// The indexes that were used, as table and index, and what counted them.
type Used = (&'static str, BTreeSet<(String, String)>);

fn used(connection: &mut Connection, database: &str) -> Result<Option<Used>, DatabaseError> {
    let on = connection
        .query("SHOW GLOBAL VARIABLES WHERE variable_name IN ('performance_schema', 'userstat')")?;
    let on: BTreeMap<&str, &str> = on.values("Variable_name").zip(on.values("Value")).collect();
    let is_on = |name: &str| on.get(name).is_some_and(|value| matches!(*value, "ON" | "1"));
    let database = text(database);
    let (source, statement) = if is_on("performance_schema") {
        let statement = format!(
            "SELECT object_name AS table_name, index_name AS index_name \
             FROM performance_schema.table_io_waits_summary_by_index_usage \
             WHERE object_schema = {database} AND index_name IS NOT NULL AND count_star > 0"
        );
        ("performance_schema", statement)
    } else if is_on("userstat") {
        let statement = format!(
            "SELECT table_name AS table_name, index_name AS index_name FROM information_schema.index_statistics \
             WHERE table_schema = {database} AND rows_read > 0"
        );
        ("userstat", statement)
    } else {
        return Ok(None);
    };
    let found = connection.query(&statement)?;
    let used = rows(&found).map(|row| (row.text("table_name").to_owned(), row.text("index_name").to_owned()));
    Ok(Some((source, used.collect())))
}

/// The condition for the tables that are wanted.
fn within(schema: &str, table: &str, database: &str, tables: Option<&BTreeSet<String>>) -> String {
    let database = format!("{schema} = {}", text(database));
    match tables {
        None => database,
        Some(tables) if tables.is_empty() => format!("{database} AND 1 = 0"),
        Some(tables) => {
            let names: Vec<String> = tables.iter().map(|name| text(name)).collect();
            format!("{database} AND {table} IN ({})", names.join(", "))
        }
    }
}

fn table(database: &str, row: &Row) -> TableDefinition {
    TableDefinition {
        schema: database.to_owned(),
        name: row.text("table_name").to_owned(),
        engine: row.text("engine").to_owned(),
        rows: row.number("table_rows"),
        data_bytes: row.number("data_length"),
        index_bytes: row.number("index_length"),
        collation: row.value("table_collation").map(str::to_owned),
        columns: Vec::new(),
        indexes: Vec::new(),
    }
}

fn column(row: &Row) -> Column {
    Column {
        name: row.text("column_name").to_owned(),
        kind: row.text("column_type").to_owned(),
        nullable: row.text("is_nullable").eq_ignore_ascii_case("YES"),
        collation: row.value("collation_name").map(str::to_owned),
    }
}

fn add_part(table: &mut TableDefinition, row: &Row) {
    let name = row.text("index_name");
    let expression = row.value("expression").map(|expression| format!("({expression})"));
    let part = IndexPart {
        column: row.value("column_name").map(str::to_owned).or(expression).unwrap_or_default(),
        prefix: row.number("sub_part"),
        descending: row.value("collation") == Some("D"),
        distinct: row.number("cardinality"),
    };
    let cardinality = part.distinct;
    if let Some(index) = table.indexes.last_mut().filter(|index| index.name == name) {
        index.parts.push(part);
        index.cardinality = cardinality.or(index.cardinality);
        return;
    }
    let kind = match row.text("index_type").to_ascii_uppercase().as_str() {
        "SPATIAL" | "RTREE" => IndexKind::Spatial,
        "FULLTEXT" => IndexKind::Fulltext,
        "HASH" => IndexKind::Hash,
        _ => IndexKind::Btree,
    };
    table.indexes.push(Index {
        name: name.to_owned(),
        unique: row.text("non_unique") == "0",
        kind,
        // A part of a spatial index counts 32 bytes of its column, which is not a prefix.
        parts: vec![IndexPart { prefix: part.prefix.filter(|_| kind == IndexKind::Btree), ..part }],
        cardinality,
        bytes: None,
        used: None,
        hidden: row.value("is_visible") == Some("NO") || row.value("ignored") == Some("YES"),
    });
}

/// A row by the names of its columns.
struct Row<'a> {
    table: &'a Table,
    cells: &'a [Option<String>],
}

fn rows(table: &Table) -> impl Iterator<Item = Row<'_>> {
    table.rows.iter().map(move |cells| Row { table, cells })
}

impl<'a> Row<'a> {
    fn value(&self, column: &str) -> Option<&'a str> {
        self.cells.get(self.table.column(column)?)?.as_deref()
    }

    fn text(&self, column: &str) -> &'a str {
        self.value(column).unwrap_or_default()
    }

    fn number(&self, column: &str) -> Option<u64> {
        self.value(column)?.parse().ok()
    }
}
