use std::fmt;

/// The result of preparing or observing a fault.
pub type Result<T> = std::result::Result<T, FaultError>;

/// Why a fault could not be made, or was never seen.
pub struct FaultError(String);

impl FaultError {
    /// An error that says this.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Same as `Display`, because a test that returns this error prints it with `Debug`.
impl fmt::Debug for FaultError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for FaultError {}

/// Names what was attempted when it fails.
pub trait Attempt<T> {
    /// Turns the error into "could not {what}: {cause}".
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Attempt<T> for std::result::Result<T, E> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| FaultError(format!("could not {}: {cause}", what())))
    }
}

/// Tells the developer what a guard could not undo, since a guard has nobody to return an error to.
#[expect(clippy::print_stderr, reason = "the only way out of a drop")]
pub fn report_left_behind(error: impl fmt::Display) {
    eprintln!("left behind: {error}");
}
