//! A connection, and statements on it.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{ClientIdentity, Conn, DriverError, OptsBuilder, Row, SslOpts, Value};

use crate::{Address, DatabaseError, Login, Table, TlsMode};

/// The most of a statement that an error repeats, in characters.
const SHOWN: usize = 120;
/// The most rows of an answer that are kept.
const MOST_ROWS: usize = 1_000_000;

/// After how long without an answer the peer is asked whether it is still there, in milliseconds.
const KEEP_ALIVE_MS: u32 = 10_000;

/// An open connection.
pub struct Connection {
    connection: Conn,
    /// The same socket again, by which an answer that takes too long is cut off.
    socket: Option<OwnedFd>,
    deadline: Duration,
    server: String,
}

impl Connection {
    /// Connects, with a deadline for all of that, and for every answer. No statement is sent, so that a server that is not
    /// quite MySQL (ProxySQL's administration) can be talked to.
    ///
    /// # Errors
    /// When the server is not there, refuses the login, or does not answer in time.
    pub fn open(login: &Login, deadline: Duration) -> Result<Self, DatabaseError> {
        let (sender, receiver) = mpsc::channel();
        let (theirs, until) = (login.clone(), Instant::now() + deadline);
        // connect(2) to a socket with a full queue and the look-up of a name know no deadline: a thread may be left behind.
        thread::spawn(move || sender.send(connect(&theirs, deadline)));
        let connection = match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(connected) => connected.map_err(|error| refused(login, &error))?,
            Err(_) => return Err(unconnected(login, late(deadline), None)),
        };
        let server = login.address.to_string();
        Ok(Self { socket: duplicate(&connection), connection, deadline, server })
    }

    /// Changes how long an answer may take until it is complete.
    pub fn set_deadline(&mut self, deadline: Duration) {
        if let Some(socket) = &self.socket {
            let receive = rustix::net::sockopt::Timeout::Recv;
            rustix::net::sockopt::set_socket_timeout(socket, receive, Some(deadline)).ok();
        }
        self.deadline = deadline;
    }

    /// Sends a statement and returns its rows; a statement without rows gives a table without columns.
    ///
    /// # Errors
    /// When the server refuses it or does not answer in time. After the latter the connection is of no more use.
    pub fn query(&mut self, statement: &str) -> Result<Table, DatabaseError> {
        let result = self.rows(statement);
        result.map_err(|error| self.error(statement, error))
    }

    /// As [`Connection::query`], but the server reads one statement and no more: text of strangers cannot smuggle another in
    /// behind a `;` or in a comment that only the server understands.
    ///
    /// # Errors
    /// As [`Connection::query`], and where there are several statements.
    pub fn query_alone(&mut self, statement: &str) -> Result<Table, DatabaseError> {
        // Servers take several statements as one text, yet never prepare more than one.
        let result = self.connection.prep(statement).and_then(|prepared| {
            let mut result = self.connection.exec_iter(&prepared, ())?;
            let mut table = Table::default();
            if let Some(set) = result.iter() {
                table.columns =
                    set.columns().as_ref().iter().map(|column| column.name_str().into_owned()).collect();
                for row in set {
                    table.rows.push(cells(row?));
                }
            }
            Ok(table)
        });
        result.map_err(|error| self.error(statement, error))
    }

    /// Sends a statement, and says how many rows it changed.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn execute(&mut self, statement: &str) -> Result<u64, DatabaseError> {
        match self.connection.query_drop(statement) {
            Ok(()) => Ok(self.connection.affected_rows()),
            Err(error) => Err(self.error(statement, error)),
        }
    }

    /// Sends a statement, and hands over each row as the bytes that the server sent; nothing is held in memory.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn each_row(
        &mut self,
        statement: &str,
        mut each: impl FnMut(Vec<Option<Vec<u8>>>),
    ) -> Result<(), DatabaseError> {
        let mut read = || {
            for row in self.connection.query_iter(statement)? {
                let row = row.inspect_err(|error| cut_unless_refused(error, self.socket.as_ref()))?;
                each(row.unwrap().into_iter().map(bytes).collect());
            }
            Ok(())
        };
        let result = read();
        result.map_err(|error| self.error(statement, error))
    }

    /// The server's number of this connection, as `KILL` takes it.
    pub fn id(&self) -> u32 {
        self.connection.connection_id()
    }

    fn rows(&mut self, statement: &str) -> Result<Table, mysql::Error> {
        let until = Instant::now() + self.deadline;
        let mut result = self.connection.query_iter(statement)?;
        let mut table = Table::default();
        let Some(set) = result.iter() else { return Ok(table) };
        table.columns = set.columns().as_ref().iter().map(|column| column.name_str().into_owned()).collect();
        for row in set {
            let row = row.inspect_err(|error| cut_unless_refused(error, self.socket.as_ref()))?;
            if table.rows.len() >= MOST_ROWS || Instant::now() > until {
                // What the result would read to its end is cut off with the socket.
                cut(self.socket.as_ref());
                let why = "the answer had not ended within its deadline";
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, why).into());
            }
            table.rows.push(cells(row));
        }
        Ok(table)
    }

    fn error(&self, statement: &str, error: mysql::Error) -> DatabaseError {
        let server = self.server.clone();
        let statement = statement.chars().take(SHOWN).collect();
        match error {
            mysql::Error::MySqlError(error) => {
                DatabaseError::Refused { server, statement, code: error.code, reason: error.message }
            }
            other if is_late(&other) => {
                DatabaseError::Broken { server, statement, reason: late(self.deadline) }
            }
            other => DatabaseError::Broken { server, statement, reason: other.to_string() },
        }
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        other => cell(other).map(String::into_bytes),
    }
}

fn connect(login: &Login, deadline: Duration) -> Result<Conn, mysql::Error> {
    let options = OptsBuilder::new()
        .user(Some(login.user.clone()))
        .pass(login.password())
        .prefer_socket(false)
        .tcp_connect_timeout(Some(deadline))
        .read_timeout(Some(deadline))
        .tcp_keepalive_time_ms(Some(KEEP_ALIVE_MS))
        .write_timeout(Some(deadline))
        .max_allowed_packet(Some(16 << 20));
    let options = match &login.address {
        Address::Socket(path) => return Conn::new(options.socket(Some(path.clone()))),
        Address::Tcp(host, port) => options.ip_or_hostname(Some(host.clone())).tcp_port(*port),
    };
    let over_tls = || Conn::new(options.clone().ssl_opts(Some(tls(login))));
    match login.tls.mode {
        TlsMode::Off => Conn::new(options),
        // Within the machine nobody listens in, and encrypting costs both sides time.
        TlsMode::Preferred if login.address.is_local() => match Conn::new(options.clone()) {
            Err(mysql::Error::MySqlError(error)) if insists_on_tls(&error) => match over_tls() {
                // It knows no TLS, so that it meant the user or the password.
                Err(mysql::Error::DriverError(DriverError::TlsNotSupported)) => Err(error.into()),
                connected => connected,
            },
            connected => connected,
        },
        TlsMode::Preferred => match over_tls() {
            Err(mysql::Error::DriverError(DriverError::TlsNotSupported)) => Conn::new(options),
            connected => connected,
        },
        TlsMode::Required | TlsMode::VerifiedAuthority | TlsMode::VerifiedName => over_tls(),
    }
}

/// `ER_SECURE_TRANSPORT_REQUIRED` of MySQL and of MariaDB; a user who must use TLS (`REQUIRE SSL`) is merely denied.
fn insists_on_tls(error: &mysql::MySqlError) -> bool {
    error.message.contains("insecure transport") || error.code == 1045
}

fn tls(login: &Login) -> SslOpts {
    let mode = login.tls.mode;
    let known = matches!(mode, TlsMode::VerifiedAuthority | TlsMode::VerifiedName);
    let identity = login.tls.identity.clone();
    SslOpts::default()
        .with_root_cert_path(login.tls.authorities.clone())
        .with_client_identity(identity.map(|(certificate, key)| ClientIdentity::new(certificate, key)))
        .with_danger_accept_invalid_certs(!known)
        .with_danger_skip_domain_validation(mode != TlsMode::VerifiedName)
}

/// A second descriptor of the connection's socket.
fn duplicate(connection: &Conn) -> Option<OwnedFd> {
    // SAFETY: the descriptor belongs to `connection`, which outlives the borrow.
    let socket = unsafe { BorrowedFd::borrow_raw(connection.as_raw_fd()) };
    socket.try_clone_to_owned().ok()
}

/// After a server's own error the connection goes on; after any other the rest of the answer would be waited for.
fn cut_unless_refused(error: &mysql::Error, socket: Option<&OwnedFd>) {
    if !matches!(error, mysql::Error::MySqlError(_)) {
        cut(socket);
    }
}

fn cut(socket: Option<&OwnedFd>) {
    if let Some(socket) = socket {
        rustix::net::shutdown(socket, rustix::net::Shutdown::Both).ok();
    }
}

fn refused(login: &Login, error: &mysql::Error) -> DatabaseError {
    let (reason, code) = match error {
        mysql::Error::MySqlError(error) => {
            (format!("error {}: {}", error.code, error.message), Some(error.code))
        }
        late if is_late(late) => ("it let the deadline pass".to_owned(), None),
        other => (other.to_string(), None),
    };
    match (&login.withheld, code) {
        (Some(why), Some(1045 | 1698)) => unconnected(login, format!("{reason}; {why}"), code),
        _ => unconnected(login, reason, code),
    }
}

fn unconnected(login: &Login, reason: String, code: Option<u16>) -> DatabaseError {
    DatabaseError::Connect { server: login.address.to_string(), user: login.user.clone(), reason, code }
}

fn is_late(error: &mysql::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    match error {
        mysql::Error::IoError(error) => matches!(error.kind(), TimedOut | WouldBlock),
        mysql::Error::DriverError(DriverError::ConnectTimeout) => true,
        _ => false,
    }
}

fn late(deadline: Duration) -> String {
    format!("no answer within {} ms", deadline.as_millis())
}

fn cells(row: Row) -> Vec<Option<String>> {
    row.unwrap().into_iter().map(cell).collect()
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}
