//! What the values of a key are.

use database::{Connection, DatabaseError};
use serde::{Deserialize, Serialize};

use crate::derived::{literal, name};

/// The values of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyStatistics {
    /// Rows with this key.
    pub rows: u64,
    /// Entities that have it.
    pub entities: u64,
    /// Characters of the longest value.
    pub longest: u64,
    /// Values that are whole numbers.
    pub integers: u64,
    /// Values that are numbers with a fraction.
    pub decimals: u64,
    /// Values that begin as a date does.
    pub dates: u64,
}

impl KeyStatistics {
    /// Asks a server. It reads every row of the key.
    ///
    /// # Errors
    /// When the server refuses, or does not answer before the connection's deadline.
    pub fn read(
        connection: &mut Connection,
        attributes: &str,
        link: &str,
        key: &str,
    ) -> Result<Self, DatabaseError> {
        let like = |pattern: &str| format!("COALESCE(SUM(meta_value REGEXP '{pattern}'), 0)");
        let asked = format!(
            "SELECT COUNT(*), COUNT(DISTINCT {}), COALESCE(MAX(CHAR_LENGTH(meta_value)), 0), {}, {}, {} FROM {} WHERE meta_key = {}",
            name(link),
            like("^-?[0-9]+$"),
            like("^-?[0-9]+[.][0-9]+$"),
            like("^[0-9]{4}-[0-9]{2}-[0-9]{2}"),
            name(attributes),
            literal(key)
        );
        let answer = connection.query(&asked)?;
        let number = |at: usize| {
            answer.rows.first().and_then(|row| row.get(at)?.as_deref()?.parse().ok()).unwrap_or(0)
        };
        Ok(Self {
            rows: number(0),
            entities: number(1),
            longest: number(2),
            integers: number(3),
            decimals: number(4),
            dates: number(5),
        })
    }

    /// Whether no entity has it twice.
    pub fn single(&self) -> bool {
        self.rows == self.entities
    }

    /// What they are, in words.
    pub(super) fn said(&self) -> String {
        let kind = match self {
            Self { rows: 0, .. } => return "no row has it".to_owned(),
            Self { rows, integers, .. } if rows == integers => "all whole numbers".to_owned(),
            Self { rows, integers, decimals, .. } if *rows == integers + decimals => "all numbers".to_owned(),
            Self { rows, dates, .. } if rows == dates => "all dates".to_owned(),
            Self { longest, .. } => format!("text of up to {longest} characters"),
        };
        let several = self.rows - self.entities.min(self.rows);
        let several = if several > 0 {
            format!(", {several} of them a further row of the same entity")
        } else {
            String::new()
        };
        format!("{} rows, {kind}{several}", self.rows)
    }
}
