//! Questions that only a running service can answer.

/// A question to a service of the host. Asking takes one of its workers for a moment and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The status page of a PHP-FPM pool with every worker, as JSON (`?json&full`), over FastCGI.
    FpmStatus {
        /// Where the pool listens: a path, or `ADDRESS:PORT`.
        address: String,
        /// `pm.status_path`.
        path: String,
    },
    /// `opcache_get_status(false)` and the settings in effect, as JSON, by a worker of a PHP-FPM pool, over FastCGI.
    OpcacheStatus {
        /// Where the pool listens: a path, or `ADDRESS:PORT`.
        address: String,
    },
    /// The page of Nginx's `stub_status`, over HTTP.
    StubStatus {
        /// Where the server listens: `ADDRESS:PORT`, or a path.
        address: String,
        /// The name of the server, for the header `Host`.
        server: String,
        /// The location.
        path: String,
    },
    /// Rows of a database server, as JSON `{"columns": [...], "rows": [[...], ...]}` ([`database::Table`]).
    Sql {
        /// Where the server listens: a path, or `ADDRESS:PORT`.
        server: String,
        /// What is asked, in a word: the name of the answer in a tree.
        name: String,
        /// The statement. It only reads.
        statement: String,
    },
}

impl Question {
    /// Where a tree holds the answer.
    pub fn place(&self) -> String {
        let (kind, address) = match self {
            Self::FpmStatus { address, .. } => ("fpm-status", address),
            Self::OpcacheStatus { address } => ("opcache-status", address),
            Self::StubStatus { address, .. } => ("stub-status", address),
            Self::Sql { server, name, .. } => {
                return format!("/.narrows/sql/{}/{name}", server.trim_start_matches('/'));
            }
        };
        format!("/.narrows/{kind}/{}", address.trim_start_matches('/'))
    }
}
