//! The rows of an answer.

use serde::{Deserialize, Serialize};

/// The rows of an answer as text; `None` is SQL's NULL, and bytes that are no UTF-8 are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns, as the server writes them.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// Where a column stands, whatever its case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))
    }

    /// The value of a column in each row that has one.
    pub fn values<'a>(&'a self, column: &str) -> impl Iterator<Item = &'a str> {
        let index = self.column(column);
        self.rows.iter().filter_map(move |row| row.get(index?)?.as_deref())
    }

    /// The first value of the first row.
    pub fn first(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}
