//! Advice that changes what tables there are, for one query.

use std::collections::BTreeMap;

use database::Connection;

use crate::autoload::Autoload;
use crate::spatial::{self, Coordinates};
use crate::typed_table::{self, KeyStatistics};
use crate::{Advice, Schema, Statement};

/// What came of looking at a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restructured {
    /// The advice.
    pub advice: Vec<Advice>,
    /// Why there is none where the query has the shape, and what could not be asked.
    pub notes: Vec<String>,
}

/// Looks at one query, of a class. With a connection, whose current schema holds the tables, the values themselves are asked,
/// which reads the rows of the keys that the query names; without one, the advice is careful.
pub fn restructure(
    statement: &Statement,
    schema: &Schema,
    class: &str,
    mut connection: Option<&mut Connection>,
) -> Restructured {
    let mut found = Restructured::default();
    match spatial::find(statement) {
        Ok(Some(nearby)) => {
            let coordinates =
                connection.as_deref_mut().map(|connection| Coordinates::read(connection, &nearby));
            let coordinates = found.kept(coordinates);
            let advice = nearby.advise(class, schema, coordinates);
            found.add(advice);
            return found;
        }
        Ok(None) => {}
        Err(declined) => {
            found.notes.push(declined.to_string());
            return found;
        }
    }
    match typed_table::find(statement) {
        Ok(Some(query)) => {
            let (attributes, link, keys) = query.keys();
            let mut statistics = BTreeMap::new();
            for key in keys {
                let read = connection
                    .as_deref_mut()
                    .map(|connection| KeyStatistics::read(connection, attributes, link, key));
                statistics.extend(found.kept(read).map(|read| (key.to_owned(), read)));
            }
            found.add(query.advise(class, schema, &statistics));
        }
        Ok(None) => {}
        Err(declined) => found.notes.push(declined.to_string()),
    }
    if let (Some(table), Some(connection)) = (Autoload::table_of(statement), connection) {
        let read = found.kept(Some(Autoload::read(connection, &table)));
        found.advice.extend(read.and_then(|autoload| autoload.advise(class, &[])));
    }
    found
}

impl Restructured {
    fn kept<T>(&mut self, read: Option<Result<T, database::DatabaseError>>) -> Option<T> {
        match read? {
            Ok(read) => Some(read),
            Err(error) => {
                self.notes.push(format!("the values are not known: {error}"));
                None
            }
        }
    }

    fn add(&mut self, advice: Result<Advice, typed_table::Declined>) {
        match advice {
            Ok(advice) => self.advice.push(advice),
            Err(declined) => self.notes.push(declined.to_string()),
        }
    }
}
