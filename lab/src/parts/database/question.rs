//! One statement, asked several times: how long it takes, what the server reads for it, and what it answers.

use std::time::Instant;

use super::Database;
use crate::faults::{Attempt, Result};

/// What a statement costs.
#[derive(Debug, Clone)]
pub struct Cost {
    /// The median time of an answer, in milliseconds.
    pub ms: f64,
    /// Rows and index entries that the server read for one answer (`Handler_read_*` of the session).
    pub rows_read: f64,
    /// The first column of the answer.
    pub answer: Vec<String>,
}

/// Asks a statement so many times on one connection.
pub fn ask(database: &Database, statement: &str, times: usize) -> Result<Cost> {
    database.connected(|connection| {
        let connection = std::cell::RefCell::new(connection);
        let query = |statement: &str| {
            let answer = connection.borrow_mut().query(statement);
            answer.attempt(|| "ask the server".to_owned())
        };
        let rows_read = "SELECT SUM(variable_value) FROM information_schema.session_status \
                         WHERE variable_name LIKE 'HANDLER_READ%'";
        let so_far = || -> Result<f64> {
            Ok(query(rows_read)?.first().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN))
        };
        // Looking costs reads of its own.
        let (first, second) = (so_far()?, so_far()?);
        let table = query(statement)?;
        let rows_read = so_far()? - second - (second - first);
        let mut seconds = vec![];
        for _ in 0..times.max(1) {
            let asked = Instant::now();
            query(statement)?;
            seconds.push(asked.elapsed().as_secs_f64());
        }
        let answer = table.rows.iter().filter_map(|row| row.first()?.clone()).collect();
        Ok(Cost { ms: super::clients::percentile_ms(&seconds, 50), rows_read, answer })
    })
}
