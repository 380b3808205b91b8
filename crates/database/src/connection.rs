//! A connection, and statements on it.

use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, Row, Value};

use crate::{Address, DatabaseError, Login, Table};

/// The most of a statement that an error repeats, in characters.
const SHOWN: usize = 120;

/// An open connection.
pub struct Connection {
    connection: Conn,
    server: String,
}

impl Connection {
    /// Connects, with a deadline for that and for every answer. No statement is sent, so that a server that is not
    /// quite MySQL (ProxySQL's administration) can be talked to.
    ///
    /// # Errors
    /// When the server is not there, refuses the login, or does not answer in time.
    pub fn open(login: &Login, deadline: Duration) -> Result<Self, DatabaseError> {
        let server = login.address.to_string();
        let options = OptsBuilder::new()
            .user(Some(login.user.clone()))
            .pass(login.password())
            .prefer_socket(false)
            .tcp_connect_timeout(Some(deadline))
            .read_timeout(Some(deadline))
            .write_timeout(Some(deadline))
            .max_allowed_packet(Some(16 << 20));
        let options = match &login.address {
            Address::Socket(path) => options.socket(Some(path.clone())),
            Address::Tcp(host, port) => options.ip_or_hostname(Some(host.clone())).tcp_port(*port),
        };
        let connection = Conn::new(options).map_err(|error| DatabaseError::Connect {
            server: server.clone(),
            user: login.user.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self { connection, server })
    }

    /// Sends a statement and returns its rows; a statement without rows gives a table without columns.
    ///
    /// # Errors
    /// When the server refuses it or does not answer in time.
    pub fn query(&mut self, statement: &str) -> Result<Table, DatabaseError> {
        let result = self.rows(statement);
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
                each(row?.unwrap().into_iter().map(bytes).collect());
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
        let mut result = self.connection.query_iter(statement)?;
        let mut table = Table::default();
        let Some(set) = result.iter() else { return Ok(table) };
        table.columns = set.columns().as_ref().iter().map(|column| column.name_str().into_owned()).collect();
        for row in set {
            table.rows.push(cells(row?));
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
