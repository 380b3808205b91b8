//! Rows of a database server.

use std::time::Duration;

use database::{Address, Connection, DatabaseError, Login};

use crate::HostError;

/// How long a server may take to let us in, and for each answer.
const DEADLINE: Duration = Duration::from_millis(500);

/// Sends a statement as the user root, and returns its rows as JSON.
pub(super) fn ask(server: &str, statement: &str) -> Result<Vec<u8>, HostError> {
    let failed = |error: DatabaseError| HostError::Io { path: server.to_owned(), reason: error.to_string() };
    let login = Login::new(Address::parse(server), "root");
    let mut connection = Connection::open(&login, DEADLINE).map_err(failed)?;
    let table = connection.query(statement).map_err(failed)?;
    serde_json::to_vec(&table)
        .map_err(|error| HostError::Io { path: server.to_owned(), reason: error.to_string() })
}
