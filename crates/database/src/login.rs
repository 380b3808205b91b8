//! Where a server is, and as whom to talk to it.

use std::fmt;
use std::path::PathBuf;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    /// Whether what is sent there stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(host, _) => {
                let address = host.parse::<std::net::IpAddr>();
                host == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
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

/// Whether to speak over TLS. A Unix socket never needs it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never (`skip-ssl`, `ssl-mode=DISABLED`).
    Off,
    /// Where the server offers it, without a look at its certificate; not within this machine unless it insists.
    #[default]
    Preferred,
    /// Always, without a look at its certificate (`ssl`).
    Required,
    /// Always, with a certificate that was signed as it should be (`ssl-ca`).
    VerifiedAuthority,
    /// Always, with such a certificate for the name of the server (`ssl-verify-server-cert`).
    VerifiedName,
}

/// How to speak over TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether.
    pub mode: TlsMode,
    /// Certificates of authorities, beside those that browsers trust.
    pub authorities: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// As whom to talk to which server.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The server.
    pub address: Address,
    /// The user.
    pub user: String,
    /// Whether to speak over TLS, and how.
    pub tls: Tls,
    /// Why a password that is there is not sent to this server.
    pub withheld: Option<String>,
    password: Option<String>,
}

impl Login {
    /// A login without a password, as for the user root over a Unix socket.
    pub fn new(address: Address, user: impl Into<String>) -> Self {
        Self { address, user: user.into(), tls: Tls::default(), withheld: None, password: None }
    }

    /// Adds the password.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        self.password = password;
        self
    }

    /// Says how to speak over TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        let tcp = |host: &str, port| Address::Tcp(host.to_owned(), port);
        assert_eq!(Address::parse("/run/a.sock"), Address::Socket("/run/a.sock".to_owned()));
        assert_eq!(Address::parse("db.example"), tcp("db.example", 3306));
        assert_eq!(Address::parse("db.example:33"), tcp("db.example", 33));
        assert_eq!(Address::parse("[::1]:33"), tcp("::1", 33));
        assert_eq!(Address::parse("::1"), tcp("::1", 3306));
        assert!(Address::parse("[::1]").is_local() && !Address::parse("10.0.0.1").is_local());
    }

    #[test]
    fn a_password_is_never_shown() {
        let login = Login::new(Address::parse("db"), "ann").with_password(Some("hunter2".to_owned()));
        assert_eq!(format!("{login:?}"), "ann@db:3306");
    }
}
