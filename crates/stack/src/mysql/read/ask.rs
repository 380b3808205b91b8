//! Questions to one server, and its answers as rows.

use host::{Host, HostError, Question, SqlTable};
use model::Unread;
use serde::Deserialize;

use super::version;
use crate::mysql::{Flavor, Version};

/// What a tree holds: rows, or the server's refusal.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Refused { refused: Refusal },
    Rows(SqlTable),
}

#[derive(Deserialize)]
struct Refusal {
    code: u16,
    reason: String,
}

/// A server that is asked.
pub(super) struct Server<'a> {
    host: &'a dyn Host,
    pub(super) address: String,
    pub(super) flavor: Flavor,
    pub(super) version: Option<Version>,
    /// As whom it let us in: `user@host`.
    account: Option<String>,
}

impl<'a> Server<'a> {
    /// A server that cannot be asked.
    pub(super) fn silent(host: &'a dyn Host, address: &str) -> Self {
        Self { host, address: address.to_owned(), flavor: Flavor::default(), version: None, account: None }
    }

    /// Asks a server for its version, and says why it did not answer.
    pub(super) fn new(host: &'a dyn Host, address: &str) -> (Self, Option<HostError>) {
        let mut server = Self::silent(host, address);
        let statement =
            "SELECT VERSION() AS version, @@version_comment AS comment, CURRENT_USER() AS account";
        match server.rows("version", statement) {
            Ok(table) => {
                let text = |column| table.values(column).next().unwrap_or_default();
                server.flavor = version::flavor(text("version"), text("comment"));
                server.version = version::parse(text("version"));
                server.account = table.values("account").next().map(str::to_owned);
                (server, None)
            }
            Err(error) => (server, Some(error)),
        }
    }

    /// Whether it is at least this version of MariaDB (first) or of MySQL (second).
    pub(super) fn at_least(&self, mariadb: (u32, u32, u32), mysql: (u32, u32, u32)) -> bool {
        let (major, minor, patch) = if self.is_mariadb() { mariadb } else { mysql };
        self.version.is_some_and(|version| version >= Version { major, minor, patch })
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// The rows of an answer.
    pub(super) fn rows(&self, name: &str, statement: &str) -> Result<SqlTable, HostError> {
        let question = Question::Sql {
            server: self.address.clone(),
            name: name.to_owned(),
            statement: statement.to_owned(),
        };
        let answer = self.host.ask(&question)?;
        let path = question.place();
        match serde_json::from_slice(&answer) {
            Ok(Answer::Rows(table)) => Ok(table),
            Ok(Answer::Refused { refused: Refusal { code, reason } }) => {
                Err(HostError::Refused { path, code, reason })
            }
            Err(error) => Err(HostError::Malformed {
                path,
                line: error.line(),
                byte: error.column(),
                wanted: "rows of an answer as JSON".to_owned(),
            }),
        }
    }

    /// As [`Self::rows`], with a time after which the server itself gives up (400 ms).
    pub(super) fn bounded(&self, name: &str, select: &str) -> Result<SqlTable, HostError> {
        let statement = match (self.is_mariadb(), select.strip_prefix("SELECT ")) {
            (true, _) => format!("SET STATEMENT max_statement_time=0.4 FOR {select}"),
            (false, Some(rest)) => format!("SELECT /*+ MAX_EXECUTION_TIME(400) */ {rest}"),
            (false, None) => select.to_owned(),
        };
        self.rows(name, &statement)
    }

    /// An answer of names and values.
    pub(super) fn pairs(&self, name: &str, statement: &str) -> Result<Vec<(String, String)>, Unread> {
        let table = self.rows(name, statement).map_err(|error| self.refused(&error))?;
        let pair = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter();
            Some((cells.next()??, cells.next()?.unwrap_or_default()))
        };
        Ok(table.rows.into_iter().filter_map(pair).collect())
    }

    /// Why it does not let us in, or does not answer, and what to do.
    pub(super) fn refused(&self, error: &HostError) -> Unread {
        let how = match error {
            HostError::Refused { code: 1040 | 1203, .. } => {
                "connections are used up: free one, or let narrows in as a user with the right CONNECTION ADMIN (SUPER), for \
                 whom the server keeps one more"
                    .to_owned()
            }
            HostError::Refused { .. } => format!(
                "run narrows as root where root may enter over the socket, or make a user that may only look: {} then put \
                 `user` and `password` below [client] into ~/.my.cnf (chmod 600)",
                self.new_user()
            ),
            HostError::NotFound { .. } => {
                "name its socket or address: narrows check --database SOCKET|HOST[:PORT]".to_owned()
            }
            _ => "see whether it answers `mariadb-admin ping`, and name its socket or address with --database".to_owned(),
        };
        Unread::new(error.to_string(), how)
    }

    fn new_user(&self) -> String {
        let rights = self.rights();
        format!(
            "CREATE USER narrows@localhost IDENTIFIED BY '…'; GRANT {rights} ON *.* TO narrows@localhost; GRANT SELECT ON \
             mysql.innodb_table_stats TO narrows@localhost;"
        )
    }

    /// The rights of a user that may look at everything: MariaDB 10.5 divided REPLICATION CLIENT.
    fn rights(&self) -> &'static str {
        match self.is_mariadb()
            && self.version.is_none_or(|version| version >= Version { major: 10, minor: 5, patch: 0 })
        {
            true => "PROCESS, SLAVE MONITOR, BINLOG MONITOR",
            false => "PROCESS, REPLICATION CLIENT",
        }
    }

    /// Why one part was not answered, with the statement that would allow it.
    pub(super) fn part(&self, part: &str, right: &str, error: &HostError) -> Unread {
        let how = match error {
            HostError::Refused { code: 1969 | 3024, .. } => {
                "the server gave up after 400 ms; ask again when it is less busy".to_owned()
            }
            HostError::Refused { .. } => format!("GRANT {right} TO {}", self.grantee()),
            _ => "ask again when the server is less busy".to_owned(),
        };
        Unread::new(format!("{part}: {error}"), how)
    }

    /// `'user'@'host'` as it stands in a statement.
    fn grantee(&self) -> String {
        let account = self.account.as_deref().unwrap_or("narrows@localhost");
        let (user, host) = account.rsplit_once('@').unwrap_or((account, "localhost"));
        let quoted = |text: &str| format!("'{}'", text.replace(['\'', '\\'], ""));
        format!("{}@{}", quoted(user), quoted(host))
    }
}
