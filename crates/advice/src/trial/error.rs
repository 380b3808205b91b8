//! What can go wrong in a trial.

use database::DatabaseError;

/// Why a trial could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A server refused something, or went away.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no server to start.
    #[error(
        "no `{0}` is installed, so that no throw-away server can be started: install mariadb-server, or try on the server \
         itself, in a schema of its own"
    )]
    NoProgram(&'static str),
    /// The throw-away server did not start.
    #[error("could not {attempted}: {reason}")]
    Server {
        /// What was attempted.
        attempted: String,
        /// What was said.
        reason: String,
    },
    /// A table cannot be copied.
    #[error("`{table}` cannot be copied: {reason}")]
    Table {
        /// The table.
        table: String,
        /// Why.
        reason: String,
    },
    /// The server cannot be used for a trial.
    #[error("no trial on this server: {0}")]
    Refused(String),
    /// Somebody asked for the end.
    #[error("the trial was interrupted; its copies are removed")]
    Interrupted,
}

impl TrialError {
    pub(super) fn server(attempted: impl Into<String>, reason: impl ToString) -> Self {
        Self::Server { attempted: attempted.into(), reason: reason.to_string() }
    }

    pub(super) fn table(table: &str, reason: impl Into<String>) -> Self {
        Self::Table { table: table.to_owned(), reason: reason.into() }
    }
}
