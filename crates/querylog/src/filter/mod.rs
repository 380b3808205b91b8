//! Which events count, by an expression: `rows_examined > 1000 * rows_sent and db = 'shop'`.
//!
//! An attribute that an event does not have makes what is asked of it unknown, as NULL does in SQL; an event is kept when
//! the whole is true. Names are those of the log, whatever the case of their letters.

mod evaluate;
mod lexer;
mod parser;
mod times;
mod typing;

use crate::event::Event;
use crate::select::Select;

pub use times::{Moment, Within};

/// An expression that was understood. It is evaluated once an event, without allocating.
#[derive(Debug, Clone)]
pub struct Filter {
    condition: typing::Condition,
}

/// Why an expression was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  {expression}\n  {:>width$}", "^", width = .at + 1)]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// Where, in characters from the start.
    pub at: usize,
    expression: String,
}

/// A fault at a byte of the expression.
#[derive(Debug)]
struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none; the error says where.
    pub fn compile(expression: &str) -> Result<Filter, FilterError> {
        let compiled = lexer::tokens(expression).and_then(|tokens| parser::parse(&tokens, expression.len()));
        let condition = compiled.and_then(|node| typing::condition(&node)).map_err(|fault| FilterError {
            at: expression.get(..fault.at).unwrap_or(expression).chars().count(),
            message: fault.message,
            // One line, so that the mark stands below its place.
            expression: expression.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        })?;
        Ok(Filter { condition })
    }

    /// Whether the expression is true of an event.
    #[must_use]
    pub fn is_true(&self, event: &Event<'_>) -> bool {
        evaluate::condition(&self.condition, event) == Some(true)
    }
}

impl Select for Filter {
    fn keep(&self, event: &Event<'_>) -> bool {
        self.is_true(event)
    }
}

#[cfg(test)]
mod tests;
