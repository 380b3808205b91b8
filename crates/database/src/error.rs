//! What can go wrong.

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection came about.
    #[error("could not connect to {server} as `{user}`: {reason}")]
    Connect {
        /// The socket or address.
        server: String,
        /// The user.
        user: String,
        /// What the server or the system said.
        reason: String,
        /// MySQL's error number, where it is the server that refused.
        code: Option<u16>,
    },
    /// The server refused a statement.
    #[error("{server} refused `{statement}`: error {code}: {reason}")]
    Refused {
        /// The socket or address.
        server: String,
        /// The beginning of the statement.
        statement: String,
        /// MySQL's error number.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The connection broke, or the deadline passed.
    #[error("{server} did not answer `{statement}`: {reason}")]
    Broken {
        /// The socket or address.
        server: String,
        /// The beginning of the statement.
        statement: String,
        /// What happened.
        reason: String,
    },
    /// An option file with credentials could not be used.
    #[error("could not use the option file {path}: {reason}")]
    OptionFile {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl DatabaseError {
    /// MySQL's error number, where the server gave one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Connect { code, .. } => *code,
            Self::Refused { code, .. } => Some(*code),
            Self::Broken { .. } | Self::OptionFile { .. } => None,
        }
    }
}
