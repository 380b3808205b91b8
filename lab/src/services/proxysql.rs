//! A stand-in for the administration of ProxySQL, of which Debian has no package.
//!
//! It is no ProxySQL: it speaks as much of MySQL's text protocol as a client needs, over tables of SQLite that are named as
//! ProxySQL's source names them, as ProxySQL keeps its own in SQLite. `LOAD` and `SAVE` copy tables. It lets one user in and
//! does not look at the password.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::faults::netns::Namespace;
use crate::faults::{Attempt, FaultError, Result};

/// Tables with the columns that narrows reads, as in `ProxySQL_Admin_Tables_Definitions.h` of 2.5.
const TABLES: &str = "
    ATTACH ':memory:' AS disk; ATTACH ':memory:' AS stats;
    CREATE TABLE main.mysql_servers (hostgroup_id INT NOT NULL DEFAULT 0, hostname VARCHAR NOT NULL,
        port INT NOT NULL DEFAULT 3306, status VARCHAR NOT NULL DEFAULT 'ONLINE',
        max_connections INT NOT NULL DEFAULT 1000, PRIMARY KEY (hostgroup_id, hostname, port));
    CREATE TABLE main.global_variables (variable_name VARCHAR NOT NULL PRIMARY KEY, variable_value VARCHAR NOT NULL);
    CREATE TABLE main.mysql_query_rules (rule_id INTEGER PRIMARY KEY, active INT NOT NULL DEFAULT 0, multiplex INT);
    CREATE TABLE main.runtime_proxysql_servers (hostname VARCHAR NOT NULL, port INT NOT NULL DEFAULT 6032);
    CREATE TABLE stats.stats_mysql_global (Variable_Name VARCHAR NOT NULL PRIMARY KEY, Variable_Value VARCHAR NOT NULL);
    CREATE TABLE stats.stats_mysql_connection_pool (hostgroup INT, srv_host VARCHAR, srv_port INT, status VARCHAR,
        ConnUsed INT, ConnFree INT, ConnOK INT, ConnERR INT, Queries INT, Latency_us INT);
    CREATE TABLE stats.stats_mysql_query_digest (digest_text VARCHAR NOT NULL, count_star INTEGER NOT NULL);
    INSERT INTO main.global_variables VALUES ('admin-version', '2.5.5-stand-in'), ('mysql-multiplexing', 'true'),
        ('mysql-monitor_password', 'not to be read');";
/// The tables that have three layers.
const LAYERED: [&str; 3] = ["mysql_servers", "global_variables", "mysql_query_rules"];
/// The user who is let in.
pub const USER: &str = "radmin";

/// The stand-in; it serves until this program ends.
pub struct StandIn {
    tables: Arc<Mutex<Connection>>,
}

impl StandIn {
    /// Starts it on a port of the loopback interface of a namespace.
    pub fn start(namespace: &Namespace, port: u16) -> Result<Self> {
        let tables = Connection::open_in_memory().attempt(|| "open tables in memory".to_owned())?;
        tables.execute_batch(TABLES).attempt(|| "make tables".to_owned())?;
        for table in LAYERED {
            let copies = format!(
                "CREATE TABLE main.runtime_{table} AS SELECT * FROM main.{table};
                 CREATE TABLE disk.{table} AS SELECT * FROM main.{table};"
            );
            tables.execute_batch(&copies).attempt(|| format!("make the layers of {table}"))?;
        }
        let address = ("127.0.0.1", port);
        let listener =
            namespace.run(|| TcpListener::bind(address).attempt(|| format!("listen at {port}")))?;
        let stand_in = Self { tables: Arc::new(Mutex::new(tables)) };
        let tables = Arc::clone(&stand_in.tables);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let tables = Arc::clone(&tables);
                // A client that goes away is none of our business.
                thread::spawn(move || serve(client, &tables));
            }
        });
        Ok(stand_in)
    }

    /// Runs statements on its tables, past the port.
    pub fn run(&self, statements: &str) -> Result<()> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.execute_batch(statements).attempt(|| format!("run {statements}"))
    }

    /// The first value of an answer, past the port.
    pub fn value(&self, query: &str) -> Result<String> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answer(&tables, query).map_err(FaultError::new)?;
        let first = answer.rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
        first.ok_or_else(|| FaultError::new(format!("{query} gives nothing")))
    }
}

/// The protocol from the greeting to the client's end.
fn serve(mut client: TcpStream, tables: &Mutex<Connection>) -> std::io::Result<()> {
    // Protocol 10; PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH and what every client has.
    let mut greeting = vec![10];
    greeting.extend(b"5.5.30\0\x01\0\0\0saltsalt\0\x09\xa2\x21\x02\0\x08\0\x15");
    greeting.extend([0; 10]);
    greeting.extend(b"saltsaltsalt\0mysql_native_password\0");
    send(&mut client, 0, &greeting)?;
    let (sequence, login) = receive(&mut client)?;
    let user = login.get(32..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    if user != USER.as_bytes() {
        return send(
            &mut client,
            sequence + 1,
            &error(1045, "28000", "ProxySQL Error: Access denied for user"),
        );
    }
    send(&mut client, sequence + 1, &done(0))?;
    loop {
        let (_, command) = receive(&mut client)?;
        match command.split_first() {
            Some((3, statement)) => {
                let statement = String::from_utf8_lossy(statement).into_owned();
                let answered = answer(&tables.lock().unwrap_or_else(PoisonError::into_inner), &statement);
                match answered {
                    Ok(answer) => reply(&mut client, &answer)?,
                    Err(why) => send(&mut client, 1, &error(1045, "#2800", &why))?,
                }
            }
            Some((14, _)) => send(&mut client, 1, &done(0))?,
            _ => return Ok(()),
        }
    }
}

/// What a statement gives.
#[derive(Default)]
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    changed: usize,
}

fn answer(tables: &Connection, statement: &str) -> std::result::Result<Answer, String> {
    if statement.to_lowercase().starts_with("select @@version_comment") {
        let rows = vec![vec![Some("(ProxySQL Admin Module)".to_owned())]];
        return Ok(Answer { columns: vec!["@@version_comment".to_owned()], rows, changed: 0 });
    }
    let words: Vec<_> = statement.split_whitespace().map(str::to_uppercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (table, to) = match words.as_slice() {
        ["LOAD", "MYSQL", "SERVERS", "TO", "RUNTIME"] => ("mysql_servers", "main.runtime_"),
        ["SAVE", "MYSQL", "SERVERS", "TO", "DISK"] => ("mysql_servers", "disk."),
        ["LOAD", "MYSQL", "VARIABLES", "TO", "RUNTIME"] => ("global_variables", "main.runtime_"),
        ["SAVE", "MYSQL", "VARIABLES", "TO", "DISK"] => ("global_variables", "disk."),
        _ => return sqlite(tables, statement).map_err(|error| error.to_string()),
    };
    let copy = format!("DELETE FROM {to}{table}; INSERT INTO {to}{table} SELECT * FROM main.{table}");
    tables.execute_batch(&copy).map_err(|error| error.to_string())?;
    Ok(Answer::default())
}

fn sqlite(tables: &Connection, statement: &str) -> rusqlite::Result<Answer> {
    let mut prepared = tables.prepare(statement)?;
    let columns: Vec<_> = prepared.column_names().map(str::to_owned).collect();
    if columns.is_empty() {
        return Ok(Answer { changed: prepared.execute([])?, ..Answer::default() });
    }
    let mut rows = vec![];
    let mut found = prepared.query([])?;
    while let Some(row) = found.next()? {
        let cell = |at: usize| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
            })
        };
        rows.push((0..columns.len()).map(cell).collect::<rusqlite::Result<_>>()?);
    }
    Ok(Answer { columns, rows, changed: 0 })
}

fn reply(client: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    const END: [u8; 5] = [0xfe, 0, 0, 2, 0];
    if answer.columns.is_empty() {
        return send(client, 1, &done(answer.changed));
    }
    let mut packets = vec![vec![u8::try_from(answer.columns.len()).unwrap_or(u8::MAX)]];
    for column in &answer.columns {
        let mut packet = vec![];
        for name in ["def", "", "", "", column, column] {
            text(&mut packet, name);
        }
        // UTF-8, a text of any length.
        packet.extend(b"\x0c\x21\0\xff\xff\0\0\xfd\0\0\0\0\0");
        packets.push(packet);
    }
    packets.push(END.to_vec());
    for row in &answer.rows {
        let mut packet = vec![];
        for cell in row {
            match cell {
                Some(value) => text(&mut packet, value),
                None => packet.push(0xfb),
            }
        }
        packets.push(packet);
    }
    packets.push(END.to_vec());
    for (sequence, packet) in (1..=u8::MAX).cycle().zip(&packets) {
        send(client, sequence, packet)?;
    }
    Ok(())
}

/// A text with its length before it.
fn text(packet: &mut Vec<u8>, value: &str) {
    match u8::try_from(value.len()) {
        Ok(length) if length < 0xfb => packet.push(length),
        _ => {
            packet.push(0xfc);
            packet.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
    }
    packet.extend(value.bytes().take(usize::from(u16::MAX)));
}

fn done(changed: usize) -> Vec<u8> {
    vec![0, u8::try_from(changed).unwrap_or(250), 0, 2, 0, 0, 0]
}

fn error(code: u16, state: &str, why: &str) -> Vec<u8> {
    let mut packet = vec![0xff];
    packet.extend(code.to_le_bytes());
    packet.push(b'#');
    packet.extend(state.bytes());
    packet.extend(why.bytes());
    packet
}

fn send(client: &mut TcpStream, sequence: u8, packet: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = vec![length[0], length[1], length[2], sequence];
    bytes.extend(packet);
    client.write_all(&bytes)
}

fn receive(client: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    client.read_exact(&mut head)?;
    let mut packet = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16];
    client.read_exact(&mut packet)?;
    Ok((head[3], packet))
}
