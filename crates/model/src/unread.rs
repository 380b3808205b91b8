//! A layer is read, or it says why not; it is never empty facts.

use serde::{Deserialize, Serialize};

use crate::Missing;

/// Why something could not be read, and what would make it readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// What happened, on which file or query.
    pub why: String,
    /// What a person can do about it.
    pub how_to_enable: String,
}

impl Unread {
    /// Names the reason and the way out.
    pub fn new(why: impl Into<String>, how_to_enable: impl Into<String>) -> Self {
        Self { why: why.into(), how_to_enable: how_to_enable.into() }
    }

    /// The same, as evidence that a cause misses.
    pub fn missing(&self, what: &str) -> Missing {
        Missing::new(what, format!("{} · to enable: {}", self.why, self.how_to_enable))
    }
}

/// The facts of a layer at one instant, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layered<T> {
    /// The layer was read.
    Facts(Box<T>),
    /// The layer was not read.
    Unread(Unread),
}

impl<T> Default for Layered<T> {
    fn default() -> Self {
        Self::Unread(Unread::new("nobody asked", "read the host again"))
    }
}

impl<T> Layered<T> {
    /// The facts, where the layer was read.
    pub fn facts(&self) -> Option<&T> {
        match self {
            Self::Facts(facts) => Some(facts),
            Self::Unread(_) => None,
        }
    }
}

impl<T> From<Result<T, Unread>> for Layered<T> {
    fn from(result: Result<T, Unread>) -> Self {
        match result {
            Ok(facts) => Self::Facts(Box::new(facts)),
            Err(unread) => Self::Unread(unread),
        }
    }
}
