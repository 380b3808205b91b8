//! What an earlier trial left behind when its program was killed.

use database::Connection;

use super::TrialError;
use super::literal::quoted;
use super::scratch::{MARK, PREFIX};

/// Below this age a trial may still be running, in seconds.
const DAY_S: u64 = 86_400;

/// A schema of an earlier trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name.
    pub schema: String,
    /// Seconds since it was made; `None` where it does not carry the mark of a trial.
    pub age_s: Option<u64>,
    /// The statement that removes it: for a marked one that is older than a day.
    pub remove: Option<String>,
}

/// Looks for schemas of trials on a server. Nothing is removed.
///
/// # Errors
/// When the server does not say which schemas it has.
pub fn leftovers(connection: &mut Connection) -> Result<Vec<Leftover>, TrialError> {
    let pattern = PREFIX.replace('_', "\\_");
    let found = connection.query(&format!("SHOW DATABASES LIKE '{pattern}%'"))?;
    let names = found.rows.into_iter().filter_map(|row| row.into_iter().next()?);
    let mut leftovers = Vec::new();
    for schema in names {
        let age =
            format!("SELECT TIMESTAMPDIFF(SECOND, made_at, UTC_TIMESTAMP()) FROM {}.{MARK}", quoted(&schema));
        let age_s = connection.query(&age).ok().and_then(|table| table.first()?.parse().ok());
        let remove = age_s.filter(|age| *age > DAY_S).map(|_| format!("DROP DATABASE {}", quoted(&schema)));
        leftovers.push(Leftover { schema, age_s, remove });
    }
    Ok(leftovers)
}
