//! A connection to the server that is meant.

use std::time::Duration;

use database::{Address, Connection, DatabaseError, Login, Logins};

use crate::arguments::queries::server::Server;
use crate::output;

/// How long connecting, and each answer that is no query of the user's, may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A connection, and what it speaks to.
pub(crate) struct Opened {
    /// The connection.
    pub(crate) connection: Connection,
    /// The server's socket or address.
    pub(crate) address: Address,
    /// As whom.
    pub(crate) login: Login,
    /// What it says of its version.
    pub(crate) version: String,
    /// The schema that names without one mean.
    pub(crate) database: Option<String>,
}

/// Connects.
pub(crate) fn open(server: &Server) -> anyhow::Result<Opened> {
    let logins = Logins::read(server.defaults_file.clone())?;
    for warning in logins.warnings() {
        output::note(&format!("warning: {warning}\n"));
    }
    let logins = match (&server.server, &server.user) {
        (Some(place), Some(user)) if !place.contains('@') => logins.with_server(&format!("{user}@{place}")),
        (Some(place), _) => logins.with_server(place),
        (None, Some(user)) => logins.with_server(&format!("{user}@")),
        (None, None) => logins,
    };
    let login = logins.login();
    let mut connection = Connection::open(&login, DEADLINE)?;
    if let Some(database) = &server.database {
        connection.execute(&format!("USE `{}`", database.replace('`', "``")))?;
    }
    let known = connection.query("SELECT VERSION(), DATABASE()")?;
    let mut cells = known.rows.into_iter().next().unwrap_or_default().into_iter();
    let version = cells.next().flatten().unwrap_or_default();
    let database = cells.next().flatten();
    Ok(Opened { connection, address: login.address.clone(), login, version, database })
}

impl Opened {
    /// Sends a statement that nothing hangs on.
    pub(crate) fn try_execute(&mut self, statement: &str) -> Option<DatabaseError> {
        self.connection.execute(statement).err()
    }
}
