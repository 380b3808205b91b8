//! Rows of database servers. One connection to each server serves a whole run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::{Address, Connection, DatabaseError, Login, Logins};

use crate::{HostError, redact};

/// How long a server may take to let us in and to answer, in all.
const DEADLINE: Duration = Duration::from_millis(700);
/// A server that did not let us in, or fell silent, is left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(2);
/// From one try to enter a full server to the next.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The servers that were asked, and as whom.
#[derive(Debug, Default)]
pub(crate) struct Databases {
    logins: Logins,
    open: Mutex<HashMap<String, Arc<Mutex<Server>>>>,
}

/// What is between us and one server.
#[derive(Default)]
enum Server {
    #[default]
    Unasked,
    Open(Box<Connection>),
    Silent(HostError, Instant),
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Unasked => "unasked",
            Self::Open(_) => "open",
            Self::Silent(..) => "silent",
        })
    }
}

impl Databases {
    pub(crate) fn new(logins: Logins) -> Self {
        Self { logins, open: Mutex::default() }
    }

    /// The servers that the user named.
    pub(crate) fn named(&self) -> Vec<String> {
        self.logins.servers().iter().map(ToString::to_string).collect()
    }

    /// Sends a statement, and returns its rows as JSON, without what is secret.
    pub(crate) fn ask(&self, server: &str, name: &str, statement: &str) -> Result<Vec<u8>, HostError> {
        let slot = Arc::clone(
            self.open.lock().unwrap_or_else(PoisonError::into_inner).entry(server.to_owned()).or_default(),
        );
        let mut state = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + DEADLINE;
        let mut connection = match std::mem::take(&mut *state) {
            Server::Open(connection) => connection,
            Server::Silent(error, since) if since.elapsed() < LEFT_ALONE => {
                *state = Server::Silent(error.clone(), since);
                return Err(error);
            }
            Server::Silent(..) | Server::Unasked => {
                let login = self.logins.for_server(&Address::parse(server));
                match enter(&login, until) {
                    Ok(connection) => Box::new(connection),
                    Err(error) => {
                        let error = failed(server, &error);
                        *state = Server::Silent(error.clone(), Instant::now());
                        return Err(error);
                    }
                }
            }
        };
        connection
            .set_deadline(until.saturating_duration_since(Instant::now()).max(Duration::from_millis(50)));
        let answer = connection.query(statement);
        *state = match &answer {
            Err(error @ DatabaseError::Broken { .. }) => {
                Server::Silent(failed(server, error), Instant::now())
            }
            _ => Server::Open(connection),
        };
        let table = redact::rows(name, answer.map_err(|error| failed(server, &error))?);
        serde_json::to_vec(&table)
            .map_err(|error| HostError::Io { path: server.to_owned(), reason: error.to_string() })
    }
}

/// Lets us in. A server that is full keeps one place for those who may always enter, which clients that it turns away take
/// for a moment each: it is tried again until the time is up.
fn enter(login: &Login, until: Instant) -> Result<Connection, DatabaseError> {
    loop {
        match Connection::open(login, DEADLINE) {
            Err(error) if matches!(error.code(), Some(1040 | 1203)) && Instant::now() < until => {
                std::thread::sleep(BETWEEN_TRIES);
            }
            other => return other,
        }
    }
}

fn failed(server: &str, error: &DatabaseError) -> HostError {
    let path = server.to_owned();
    match (error, error.code()) {
        (DatabaseError::Connect { reason, .. }, Some(code)) => {
            HostError::Refused { path, code, reason: reason.clone() }
        }
        (DatabaseError::Refused { reason, .. }, Some(code)) => {
            HostError::Refused { path, code, reason: format!("error {code}: {reason}") }
        }
        // ENOENT: no such socket.
        _ if error.to_string().contains("(os error 2)") => HostError::NotFound { path },
        _ => HostError::Io { path, reason: error.to_string() },
    }
}
