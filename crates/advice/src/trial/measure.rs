//! One query, run and counted.

use std::time::Instant;

use database::{Connection, DatabaseError};

use super::TrialError;
use super::compare::Row;
use super::permit::Deed;

/// The most rows of an answer that are held for comparing.
const HELD: usize = 50_000;
/// What MariaDB and MySQL answer when a statement takes longer than it may.
const DEADLINE: [u16; 2] = [1969, 3024];

/// A query as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) deed: Deed,
}

/// What a run gave.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) seconds: f64,
    /// The rows; `None` where there are too many to compare.
    pub(super) rows: Option<Vec<Row>>,
    /// Whether it was ended by its deadline.
    pub(super) cut: bool,
}

/// Runs a query; what it changes is rolled back.
pub(super) fn run(connection: &mut Connection, query: &Query, hold: bool) -> Result<Answer, TrialError> {
    let changes = query.deed == Deed::Changes;
    if changes {
        connection.execute("START TRANSACTION")?;
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut count = 0_usize;
    let begun = Instant::now();
    let result = if changes {
        connection.execute(&query.sql).map(|changed| rows.push(vec![Some(changed.to_string().into_bytes())]))
    } else {
        connection.each_row(&query.sql, |row| {
            count += 1;
            if hold && count <= HELD {
                rows.push(row);
            }
        })
    };
    let seconds = begun.elapsed().as_secs_f64();
    if changes {
        connection.execute("ROLLBACK")?;
    }
    match result {
        Ok(()) => Ok(Answer { seconds, rows: (hold && count <= HELD).then_some(rows), cut: false }),
        Err(DatabaseError::Refused { code, .. }) if DEADLINE.contains(&code) => {
            Ok(Answer { seconds, rows: None, cut: true })
        }
        Err(error) => Err(error.into()),
    }
}

/// How many rows the storage engines hand out for a query: what `Handler_read_*` of the session grow by, less what reading
/// them costs.
pub(super) fn rows_read(connection: &mut Connection, query: &Query) -> Result<u64, TrialError> {
    let first = handler_reads(connection)?;
    let second = handler_reads(connection)?;
    run(connection, query, false)?;
    let third = handler_reads(connection)?;
    Ok(third.saturating_sub(second).saturating_sub(second.saturating_sub(first)))
}

fn handler_reads(connection: &mut Connection) -> Result<u64, DatabaseError> {
    let status = connection.query("SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'")?;
    Ok(status.values("Value").filter_map(|value| value.parse::<u64>().ok()).sum())
}

/// Rows examined, as the slow log of a throw-away server says.
pub(super) fn examined_by_slow_log(
    connection: &mut Connection,
    query: &Query,
) -> Result<Option<u64>, TrialError> {
    connection.execute("SET SESSION long_query_time = 0")?;
    let ran = run(connection, query, false);
    connection.execute("SET SESSION long_query_time = 31536000")?;
    ran?;
    let verb =
        query.sql.trim_start_matches(['(', ' ', '\n', '\t']).split_whitespace().next().unwrap_or("SELECT");
    let logged = connection.query(&format!(
        "SELECT rows_examined FROM mysql.slow_log WHERE thread_id = CONNECTION_ID() AND sql_text LIKE '{}%' \
         ORDER BY start_time DESC LIMIT 1",
        verb.replace(['\'', '\\', '%'], "")
    ))?;
    Ok(logged.first().and_then(|value| value.parse().ok()))
}

/// Rows examined, as the performance schema says, where it keeps statements.
pub(super) fn examined_by_performance_schema(
    connection: &mut Connection,
    query: &Query,
) -> Result<Option<u64>, TrialError> {
    run(connection, query, false)?;
    let kept = connection.query(
        "SELECT s.ROWS_EXAMINED FROM performance_schema.events_statements_history s JOIN performance_schema.threads t \
         ON t.THREAD_ID = s.THREAD_ID WHERE t.PROCESSLIST_ID = CONNECTION_ID() ORDER BY s.EVENT_ID DESC LIMIT 1",
    );
    Ok(kept.ok().and_then(|table| table.first()?.parse().ok()))
}
