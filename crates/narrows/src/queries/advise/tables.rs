//! The tables that the queries read: from the server, or from a dump.

use std::collections::BTreeSet;
use std::io::BufReader;

use advice::{Advice, Dialect, Query, Schema, Statement, restructure};
use anyhow::Context;

use super::asked::Asked;
use crate::arguments::queries::advise::Advise;
use crate::exit::UsageError;
use crate::queries::server::{Opened, open};

/// What is known of the tables.
pub(super) struct Tables {
    /// Their definitions.
    pub(super) schema: Schema,
    /// The server, where one was asked.
    pub(super) opened: Option<Opened>,
    file: Option<String>,
}

/// Reads the tables that the queries name.
pub(super) fn read(arguments: &Advise, asked: &[Asked]) -> anyhow::Result<Tables> {
    if let Some(file) = &arguments.schema {
        let bytes = host::read_local(file)?;
        let schema = Schema::from_dump(BufReader::new(bytes.as_slice()), Dialect::default())?;
        if schema.tables.is_empty() {
            return Err(anyhow::anyhow!("{} holds no CREATE TABLE", file.display()));
        }
        return Ok(Tables { schema, opened: None, file: Some(file.display().to_string()) });
    }
    let mut opened = open(&arguments.server)?;
    let databases: BTreeSet<&String> = asked.iter().filter_map(|asked| asked.database.as_ref()).collect();
    let database = match (&opened.database, databases.len()) {
        (Some(database), _) => database.clone(),
        (None, 1) => databases.into_iter().next().cloned().unwrap_or_default(),
        _ => {
            let why = "say with --db which schema the queries mean";
            return Err(UsageError(why.to_owned()).into());
        }
    };
    let names: BTreeSet<String> = asked
        .iter()
        .filter_map(|asked| Statement::parse(&asked.sql, &Dialect::default()).ok())
        .flat_map(|statement| {
            let places =
                statement.places().filter_map(|place| statement.table(place).map(|table| table.name.clone()));
            places.collect::<Vec<_>>()
        })
        .collect();
    let schema = Schema::read(&mut opened.connection, &database, Some(&names))
        .with_context(|| format!("read the tables of `{database}`"))?;
    opened.connection.execute(&format!("USE `{}`", database.replace('`', "``")))?;
    opened.database = Some(database);
    Ok(Tables { schema, opened: Some(opened), file: None })
}

impl Tables {
    /// Where they were read.
    pub(super) fn source(&self) -> String {
        let dialect = self.schema.dialect;
        match (&self.opened, &self.file) {
            (Some(opened), _) => format!("{dialect} at {}", opened.address),
            (None, Some(file)) => file.clone(),
            (None, None) => "nothing".to_owned(),
        }
    }

    /// Advice that changes what tables there are, and why there is none where a query has the shape for it.
    pub(super) fn restructured(&mut self, queries: &[Query]) -> (Vec<Advice>, Vec<String>) {
        let (mut advice, mut unread) = (Vec::new(), Vec::new());
        for query in queries {
            let Ok(statement) = &query.statement else { continue };
            let connection = self.opened.as_mut().map(|opened| &mut opened.connection);
            let found = restructure(statement, &self.schema, &query.class, connection);
            advice.extend(found.advice);
            unread.extend(found.notes.into_iter().map(|note| format!("class {}: {note}", query.class)));
        }
        (advice, unread)
    }
}
