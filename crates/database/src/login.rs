//! Where a server is, and as whom to talk to it.

use std::fmt;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    Socket(String),
    /// A name or address, and a port.
    Tcp(String, u16),
}

impl Address {
    /// `/PATH`, `HOST` or `HOST:PORT`; the port is 3306 where none is said.
    pub fn parse(text: &str) -> Self {
        if text.starts_with('/') {
            return Self::Socket(text.to_owned());
        }
        match text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
                Self::Tcp(host.trim_matches(['[', ']']).to_owned(), port)
            }
            _ => Self::Tcp(text.trim_matches(['[', ']']).to_owned(), 3306),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => formatter.write_str(path),
            Self::Tcp(host, port) if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(formatter, "{host}:{port}"),
        }
    }
}

/// As whom to talk to which server.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The server.
    pub address: Address,
    /// The user.
    pub user: String,
    password: Option<String>,
}

impl Login {
    /// A login without a password, as for the user root over a Unix socket.
    pub fn new(address: Address, user: impl Into<String>) -> Self {
        Self { address, user: user.into(), password: None }
    }

    /// Adds the password.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        self.password = password;
        self
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.user, self.address)
    }
}
