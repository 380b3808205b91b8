//! What went wrong, on what, and what to do about it.

use std::fmt;

/// A read, write or refusal that failed: what was attempted, on what, why, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeError {
    /// What was attempted on what, as a phrase: `write 8192 to net.core.somaxconn`.
    pub attempted: String,
    /// Why it failed.
    pub why: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// The system's error number, where the system refused.
    pub errno: Option<i32>,
}

impl ChangeError {
    /// An attempt that failed, and why.
    pub fn new(attempted: impl Into<String>, why: impl Into<String>) -> Self {
        Self { attempted: attempted.into(), why: why.into(), help: None, errno: None }
    }

    /// An attempt that the system refused.
    pub fn io(attempted: impl Into<String>, error: &std::io::Error) -> Self {
        Self { errno: error.raw_os_error(), ..Self::new(attempted, error.to_string()) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {}: {}", self.attempted, self.why)?;
        match &self.help {
            Some(help) => write!(formatter, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ChangeError {}
