//! A connection for one step.

use std::time::{Duration, Instant};

use crate::ChangeError;
use crate::shell::quoted;
use crate::state::sha256;
use database::{Address, Connection, DatabaseError, Table};

use super::Access;
/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take that is no long work.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a statement may take: rebuilding a large table takes hours.
const WORK: Duration = Duration::from_secs(24 * 3600);
/// How long a session waits for another's lock, in seconds. Behind a statement that waits for the lock of a table, every
/// other statement on that table waits too.
const LOCK_WAIT_S: u32 = 5;
/// How long a killed statement may take to go: it undoes what it did.
const GOING: Duration = Duration::from_secs(600);
/// How often it is looked whether it has gone.
const PAUSE: Duration = Duration::from_millis(50);

/// MySQL's error numbers (mysqld_error.h).
pub(super) mod code {
    pub(crate) const TABLE_ACCESS_DENIED: u16 = 1142;
    pub(crate) const ACCESS_DENIED: u16 = 1045;
    pub(crate) const DATABASE_ACCESS_DENIED: u16 = 1044;
    pub(crate) const NO_SUCH_DATABASE: u16 = 1049;
    pub(crate) const NO_SUCH_COLUMN: u16 = 1054;
    pub(crate) const NO_SUCH_THREAD: u16 = 1094;
    pub(crate) const NO_SUCH_TABLE: u16 = 1146;
    pub(crate) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(crate) const DEADLOCK: u16 = 1213;
    pub(crate) const SPECIAL_RIGHT_NEEDED: u16 = 1227;
    pub(crate) const NOT_SETTABLE: u16 = 1238;
}

/// A server, and by what it lets us in.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) server: &'a str,
    pub(super) access: &'a Access,
}

/// A connection, by the name of what it reads or writes.
pub(super) struct Session {
    connection: Connection,
    lock: String,
    /// Whether it is the administration of ProxySQL, which knows no locks.
    pub(super) is_proxysql: bool,
}

impl Session {
    /// Connects for short answers.
    pub(super) fn open(place: &Place<'_>, target: &str) -> Result<Self, ChangeError> {
        Self::open_for(place, target, ANSWER)
    }

    /// Connects for a statement that may take hours, alone with its target, and never long in others' way.
    pub(super) fn open_for_work(place: &Place<'_>, target: &str) -> Result<Self, ChangeError> {
        let mut session = Self::open_for(place, target, WORK)?;
        if session.is_proxysql {
            return Ok(session);
        }
        let attempted = format!("prepare a connection to {}", place.server);
        for variable in ["lock_wait_timeout", "innodb_lock_wait_timeout"] {
            session.execute(&format!("SET SESSION {variable} = {LOCK_WAIT_S}"), &attempted)?;
        }
        session.execute("SET SESSION autocommit = 1", &attempted)?;
        session.alone(place.server)?;
        Ok(session)
    }

    fn open_for(place: &Place<'_>, target: &str, answer: Duration) -> Result<Self, ChangeError> {
        let server = place.server;
        let attempted = format!("connect to {server}");
        let login = place.access.login(server).map_err(|error| failed(&attempted, error))?;
        let mut connection = Connection::open(&login, CONNECT).map_err(|error| {
            let failed = failed(&attempted, error);
            login.withheld.clone().map_or(failed.clone(), |withheld| failed.help(withheld))
        })?;
        connection.set_deadline(answer);
        // The one question that ProxySQL's administration answers as clients of MySQL expect.
        let comment = connection.query("SELECT @@version_comment LIMIT 1");
        let is_proxysql =
            comment.is_ok_and(|table| table.first().is_some_and(|text| text.contains("ProxySQL")));
        if let Some(schema) = &place.access.schema {
            let statement = format!("USE `{}`", schema.replace('`', "``"));
            connection.execute(&statement).map_err(|error| failed(&attempted, error))?;
        }
        let lock = format!("narrows {:.16}", sha256(format!("{server} {target}").as_bytes()));
        Ok(Self { connection, lock, is_proxysql })
    }

    /// Takes the lock of the target, which the server gives back when this connection ends.
    fn alone(&mut self, server: &str) -> Result<(), ChangeError> {
        let attempted = format!("be alone with a change of {server}");
        let statement = format!("SELECT GET_LOCK('{}', {LOCK_WAIT_S})", self.lock);
        if self.query(&statement, &attempted)?.first() == Some("1") {
            return Ok(());
        }
        Err(ChangeError::new(
            attempted,
            "another narrows is at it, or was cut short and its statement runs on",
        )
        .help(
            "`narrows history` shows whether a transaction was cut short; `narrows undo` ends its statement",
        ))
    }

    /// Ends what a process that was killed left running, and waits until it has gone.
    pub(super) fn end_what_was_left(&mut self) -> Result<(), ChangeError> {
        if self.is_proxysql {
            return Ok(());
        }
        let attempted = "end a statement that was left running";
        let start = Instant::now();
        let mut killed = None;
        while let Some(holder) = self.holder(attempted)? {
            if killed.as_ref() != Some(&holder) {
                match self.connection.execute(&format!("KILL {holder}")) {
                    Err(DatabaseError::Refused { code: code::NO_SUCH_THREAD, .. }) | Ok(_) => {}
                    Err(error) => return Err(failed(attempted, error)),
                }
                killed = Some(holder);
            } else if start.elapsed() > GOING {
                let why = format!("connection {holder} was killed and has not gone");
                return Err(ChangeError::new(attempted, why)
                    .help("it undoes what it did: wait until it has gone, then `narrows undo` again"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The connection that holds the lock of the target.
    fn holder(&mut self, attempted: &str) -> Result<Option<u64>, ChangeError> {
        let statement = format!("SELECT IS_USED_LOCK('{}')", self.lock);
        Ok(self.query(&statement, attempted)?.first().and_then(|id| id.parse().ok()))
    }

    pub(super) fn query(&mut self, statement: &str, attempted: &str) -> Result<Table, ChangeError> {
        self.connection.query(statement).map_err(|error| failed(attempted, error))
    }

    pub(super) fn execute(&mut self, statement: &str, attempted: &str) -> Result<u64, ChangeError> {
        self.connection.execute(statement).map_err(|error| failed(attempted, error))
    }

    /// As [`Session::query`], with the server's own error.
    pub(super) fn raw_query(&mut self, statement: &str) -> Result<Table, DatabaseError> {
        self.connection.query(statement)
    }

    /// As [`Session::execute`], with the server's own error.
    pub(super) fn raw_execute(&mut self, statement: &str) -> Result<u64, DatabaseError> {
        self.connection.execute(statement)
    }
}

/// The client with what leads to a server, for scripts: it finds the password where narrows does, in option files.
pub(super) fn client(place: &Place<'_>) -> String {
    let mut client = "\"$(command -v mariadb || command -v mysql)\"".to_owned();
    let Access { defaults_file, user, schema, .. } = place.access;
    if let Some(file) = defaults_file {
        client.push_str(&format!(" --defaults-file={}", quoted(file)));
    }
    client.push_str(" --batch --skip-column-names");
    if let Some(user) = user {
        client.push_str(&format!(" --user={}", quoted(user)));
    }
    if let Some(schema) = schema {
        client.push_str(&format!(" --database={}", quoted(schema)));
    }
    match Address::parse(place.server) {
        Address::Socket(path) => format!("{client} --socket={}", quoted(&path)),
        Address::Tcp(host, port) => format!("{client} --protocol=tcp --host={} --port={port}", quoted(&host)),
    }
}

/// An error of a server, and what helps. One of the connection carries `ENOTCONN`.
pub(super) fn failed(attempted: &str, error: DatabaseError) -> ChangeError {
    let DatabaseError::Refused { code, reason, .. } = error else {
        let failed =
            ChangeError { errno: Some(libc::ENOTCONN), ..ChangeError::new(attempted, error.to_string()) };
        return failed.help("see that the server runs and lets you in, then try again");
    };
    let failed = ChangeError::new(attempted, format!("the server refuses it: error {code}: {reason}"));
    match code {
        code::SPECIAL_RIGHT_NEEDED
        | code::ACCESS_DENIED
        | code::DATABASE_ACCESS_DENIED
        | code::TABLE_ACCESS_DENIED => {
            failed.help("log in as an administrator: `user` and `password` below [client] of ~/.my.cnf")
        }
        code::NOT_SETTABLE => failed.help("set it in the option file, and restart the server"),
        _ => failed,
    }
}

/// A value as a literal of SQL: numbers as they are, all else in quotes.
pub(super) fn literal(value: &str) -> String {
    let number = value.strip_prefix('-').unwrap_or(value);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = match number.split_once('.') {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(number),
    };
    if is_number {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', r"\\").replace('\'', "''"))
}
