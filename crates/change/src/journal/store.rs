//! Transactions in SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Status, Step, Transaction, copies, directory, no_such};
use crate::machine::{boot_id, now_unix_ms, user};
use crate::plan::Activation;
use crate::{ChangeError, State};

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE transactions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        status TEXT NOT NULL,
        began_unix_ms INTEGER NOT NULL,
        changed_unix_ms INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        user TEXT,
        plan_hash TEXT NOT NULL,
        deadline_unix_ms INTEGER,
        dead_man TEXT,
        reloads TEXT NOT NULL,
        reloaded INTEGER NOT NULL DEFAULT 0,
        outcome TEXT
    ) STRICT;
    CREATE TABLE steps (
        transaction_id INTEGER NOT NULL REFERENCES transactions (id),
        sequence INTEGER NOT NULL,
        changes TEXT NOT NULL,
        target TEXT NOT NULL,
        phase TEXT NOT NULL,
        original TEXT NOT NULL,
        wanted TEXT NOT NULL,
        begun INTEGER NOT NULL DEFAULT 0,
        restored INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (transaction_id, sequence)
    ) STRICT;
    PRAGMA user_version = 1;
";

/// The journal of one state directory.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    directory: PathBuf,
}

/// What is journaled before anything is written.
#[derive(Debug)]
pub struct NewTransaction<'a> {
    /// The plan's hash.
    pub plan_hash: &'a str,
    /// The plan, as JSON, kept beside the copies.
    pub plan_json: &'a [u8],
    /// When a trial ends, in milliseconds since 1970.
    pub deadline_unix_ms: Option<i64>,
    /// Services that take its files up.
    pub reloads: &'a [Activation],
    /// Its targets, in the order of writing.
    pub steps: &'a [Step],
}

impl Journal {
    /// Opens the journal in a state directory; makes both, readable by their owner alone, where they do not exist.
    ///
    /// # Errors
    /// When the directory cannot be made or written to or others may write to it, or the journal is damaged or of a
    /// later version.
    pub fn open(directory: &Path) -> Result<Self, ChangeError> {
        let directory = directory::made(directory)?;
        let path = directory.join("journal.sqlite");
        let attempted = || format!("open the journal {}", path.display());
        let failed = |error| sqlite(attempted(), &error);
        let mut connection = match connected(&path, "NORMAL") {
            // The index of the log is a file that all readers share, and it needs room. One reader alone has it in
            // memory, and so can undo on a full disk.
            Err(error) if needs_room(&error) => connected(&path, "EXCLUSIVE").map_err(|_| error),
            connected => connected,
        }
        .map_err(failed)?;
        let making =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
        let version: i64 = making.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        match version {
            0 => making.execute_batch(SCHEMA).map_err(failed)?,
            SCHEMA_VERSION => {}
            later => {
                return Err(ChangeError::new(attempted(), format!("it has version {later}"))
                    .help("use the narrows that wrote it, or a later one"));
            }
        }
        making.commit().map_err(failed)?;
        copies::sync_directory(&directory)?;
        Ok(Self { connection, directory })
    }

    /// The state directory: an absolute path without links, which leads to it from everywhere.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether there is a journal in a state directory.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn exists(directory: &Path) -> Result<bool, ChangeError> {
        let path = directory.join("journal.sqlite");
        path.try_exists().map_err(|error| {
            ChangeError::io(format!("look for the journal {}", path.display()), &error)
                .help("run it as root: the journal holds originals that root alone may read")
        })
    }

    /// Opens the journal where there is one already; makes nothing.
    ///
    /// # Errors
    /// As [`Journal::open`] and [`Journal::exists`].
    pub fn open_existing(directory: &Path) -> Result<Option<Self>, ChangeError> {
        if Self::exists(directory)? { Self::open(directory).map(Some) } else { Ok(None) }
    }

    /// Writes a transaction down: byte copies and the script first, then one commit. When this returns, everything
    /// needed to restore the host has reached the disk.
    ///
    /// # Errors
    /// When anything could not be written. Nothing of the host has changed then.
    pub fn begin(&mut self, new: &NewTransaction) -> Result<i64, ChangeError> {
        let attempted = "journal the original state";
        let failed = |error| sqlite(attempted, &error);
        let now = now_unix_ms();
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO transactions (status, began_unix_ms, changed_unix_ms, boot_id, user, plan_hash,
                 deadline_unix_ms, reloads) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    Status::Applying.name(),
                    now,
                    boot_id()?,
                    user(),
                    new.plan_hash,
                    new.deadline_unix_ms,
                    json(new.reloads)?
                ],
            )
            .map_err(failed)?;
        let id = transaction.last_insert_rowid();
        for step in new.steps {
            transaction
                .execute(
                    "INSERT INTO steps (transaction_id, sequence, changes, target, phase, original, wanted)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        id,
                        step.sequence,
                        json(&step.changes)?,
                        json(&step.target)?,
                        json(&step.phase)?,
                        json(&step.original)?,
                        json(&step.wanted)?
                    ],
                )
                .map_err(failed)?;
        }
        copies::write(&self.directory, id, new)?;
        transaction.commit().map_err(failed)?;
        Ok(id)
    }

    /// Where the copies and the script of a transaction lie.
    pub fn folder(&self, id: i64) -> PathBuf {
        copies::folder(&self.directory, id)
    }

    /// Notes that a step is about to be written.
    ///
    /// # Errors
    /// When the journal cannot be written; the step must not be written then.
    pub fn begin_step(&self, id: i64, sequence: u32) -> Result<(), ChangeError> {
        self.mark(id, sequence, "begun")
    }

    fn mark(&self, id: i64, sequence: u32, column: &str) -> Result<(), ChangeError> {
        let statement = format!("UPDATE steps SET {column} = 1 WHERE transaction_id = ?1 AND sequence = ?2");
        let changed = self.connection.execute(&statement, params![id, sequence]);
        changed.map(drop).map_err(|error| sqlite(format!("journal step {sequence} of {id}"), &error))
    }

    /// Notes what was accepted for what a step wanted: an undo finds that there.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn took(&self, id: i64, sequence: u32, state: &State) -> Result<(), ChangeError> {
        let statement = "UPDATE steps SET wanted = ?3 WHERE transaction_id = ?1 AND sequence = ?2";
        let changed = self.connection.execute(statement, params![id, sequence, json(state)?]);
        changed.map(drop).map_err(|error| sqlite(format!("journal step {sequence} of {id}"), &error))
    }

    /// Notes that a step was put back.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn restored_step(&self, id: i64, sequence: u32) -> Result<(), ChangeError> {
        self.mark(id, sequence, "restored")
    }

    /// Notes where a transaction stands now, and why.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn set_status(&self, id: i64, status: Status, outcome: Option<&str>) -> Result<(), ChangeError> {
        let changed = self.connection.execute(
            "UPDATE transactions SET status = ?2, changed_unix_ms = ?3, outcome = COALESCE(?4, outcome)
             WHERE id = ?1",
            params![id, status.name(), now_unix_ms(), outcome],
        );
        changed
            .map(drop)
            .map_err(|error| sqlite(format!("journal that transaction {id} is {}", status.name()), &error))
    }

    /// Notes that a transaction is on trial as before, and that the steps which were put back count as not begun, so
    /// that they can be written once more.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn back_to_trial(&self, id: i64) -> Result<(), ChangeError> {
        let failed = |error| sqlite(format!("journal that transaction {id} is on trial again"), &error);
        let both = self.connection.unchecked_transaction().map_err(failed)?;
        both.execute(
            "UPDATE steps SET begun = 0, restored = 0 WHERE transaction_id = ?1 AND restored = 1",
            params![id],
        )
        .map_err(failed)?;
        self.set_status(id, Status::Trying, None)?;
        both.commit().map_err(failed)
    }

    /// Notes that services are about to be asked to take files up.
    ///
    /// # Errors
    /// When the journal cannot be written; they must not be asked then.
    pub fn begin_reload(&self, id: i64) -> Result<(), ChangeError> {
        let changed =
            self.connection.execute("UPDATE transactions SET reloaded = 1 WHERE id = ?1", params![id]);
        changed.map(drop).map_err(|error| sqlite(format!("journal the reloads of {id}"), &error))
    }

    /// Notes which process undoes a trial at its deadline.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn set_dead_man(&self, id: i64, process: (u32, u64)) -> Result<(), ChangeError> {
        let changed = self
            .connection
            .execute("UPDATE transactions SET dead_man = ?2 WHERE id = ?1", params![id, json(&process)?]);
        changed.map(drop).map_err(|error| sqlite(format!("journal the dead man of {id}"), &error))
    }

    /// Every transaction, the first one first.
    ///
    /// # Errors
    /// When the journal cannot be read, or a row of it is not understood.
    pub fn transactions(&self) -> Result<Vec<Transaction>, ChangeError> {
        let failed = |error| sqlite("read the journal", &error);
        let mut query = self.connection.prepare("SELECT * FROM transactions ORDER BY id").map_err(failed)?;
        let rows = query.query_map([], transaction).map_err(failed)?;
        rows.map(|row| {
            let mut transaction = row.map_err(failed)?;
            transaction.steps = self.steps(transaction.id)?;
            Ok(transaction)
        })
        .collect()
    }

    /// One transaction.
    ///
    /// # Errors
    /// When there is none of that number, or the journal cannot be read.
    pub fn transaction(&self, id: i64) -> Result<Transaction, ChangeError> {
        let found = self
            .connection
            .query_row("SELECT * FROM transactions WHERE id = ?1", [id], transaction)
            .optional()
            .map_err(|error| sqlite("read the journal", &error))?;
        let mut transaction = found.ok_or_else(|| no_such(id))?;
        transaction.steps = self.steps(id)?;
        Ok(transaction)
    }

    fn steps(&self, id: i64) -> Result<Vec<Step>, ChangeError> {
        let failed = |error| sqlite(format!("read the steps of transaction {id}"), &error);
        let mut query = self
            .connection
            .prepare("SELECT * FROM steps WHERE transaction_id = ?1 ORDER BY sequence")
            .map_err(failed)?;
        let rows = query.query_map([id], step).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

fn connected(path: &Path, locking: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "locking_mode", locking)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn needs_room(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DiskFull, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure))
}

fn transaction(row: &Row) -> rusqlite::Result<Transaction> {
    let status: String = row.get("status")?;
    let dead_man: Option<String> = row.get("dead_man")?;
    Ok(Transaction {
        id: row.get("id")?,
        status: Status::from_name(&status).ok_or_else(|| not_understood("status", &status))?,
        began_unix_ms: row.get("began_unix_ms")?,
        changed_unix_ms: row.get("changed_unix_ms")?,
        boot_id: row.get("boot_id")?,
        user: row.get("user")?,
        plan_hash: row.get("plan_hash")?,
        deadline_unix_ms: row.get("deadline_unix_ms")?,
        dead_man: dead_man.map(|text| parsed("dead_man", &text)).transpose()?,
        reloads: column(row, "reloads")?,
        reloaded: row.get("reloaded")?,
        outcome: row.get("outcome")?,
        steps: vec![],
    })
}

fn step(row: &Row) -> rusqlite::Result<Step> {
    Ok(Step {
        sequence: row.get("sequence")?,
        changes: column(row, "changes")?,
        target: column(row, "target")?,
        phase: column(row, "phase")?,
        original: column(row, "original")?,
        wanted: column(row, "wanted")?,
        begun: row.get("begun")?,
        restored: row.get("restored")?,
    })
}

fn column<T: DeserializeOwned>(row: &Row, name: &'static str) -> rusqlite::Result<T> {
    let text: String = row.get(name)?;
    parsed(name, &text)
}

fn parsed<T: DeserializeOwned>(name: &'static str, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| not_understood(name, &error.to_string()))
}

fn not_understood(name: &'static str, why: &str) -> rusqlite::Error {
    let error = format!("column {name} is not understood: {why}");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, ChangeError> {
    serde_json::to_string(value).map_err(|error| ChangeError::new("write a journal row", error.to_string()))
}

fn sqlite(attempted: impl Into<String>, error: &rusqlite::Error) -> ChangeError {
    let failed = ChangeError::new(attempted, error.to_string());
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::SystemIoFailure) => {
            failed.help("see whether the disk of the state directory is full or broken: df, dmesg")
        }
        Some(rusqlite::ErrorCode::DiskFull) => failed.help("make room on the disk of the state directory"),
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => {
            failed.help("run it as root, with a state directory that can be written to")
        }
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => failed
            .help("the journal is damaged; each folder below `applied` beside it has an undo.sh that works without it"),
        _ => failed,
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
