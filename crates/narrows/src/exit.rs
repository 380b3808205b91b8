//! Exit codes, which scripts may rely on.

use std::process::ExitCode;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing at or above the `--fail-on` severity.
    Clear = 0,
    /// At least one finding.
    Findings = 1,
    /// The command line, or a name in it, was wrong.
    Usage = 2,
    /// The host, the tree or the bundle could not be read.
    Unreadable = 3,
    /// A change was refused or put back: the host is as it was.
    Refused = 4,
    /// Something could not be put back: a person must look.
    Incomplete = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A mistake in what the user typed, as opposed to a host that cannot be read.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Something could not be put back, and a person must look.
#[derive(Debug)]
pub(crate) struct Incomplete(pub(crate) String);

impl std::fmt::Display for Incomplete {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Incomplete {}

impl Exit {
    /// The exit code for an error.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        match error {
            error if error.is::<UsageError>() => Self::Usage,
            error if error.is::<Incomplete>() => Self::Incomplete,
            error if error.is::<change::ChangeError>() => Self::Refused,
            _ => Self::Unreadable,
        }
    }
}
