//! How a guest and the machine around it meet: empty files in the folder that both see.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::faults::wait::wait_within;
use crate::faults::{Attempt, Result};

/// The longest that one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that both sides see.
pub struct Meeting {
    folder: PathBuf,
}

impl Meeting {
    /// The guest's side.
    pub fn inside() -> Self {
        Self { folder: PathBuf::from("/lab") }
    }

    /// The host's side of a guest whose shared folder this is.
    pub fn outside(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Says that something is so.
    pub fn say(&self, what: &str) -> Result<()> {
        std::fs::write(self.path(what), "").attempt(|| format!("say {what} to the other side"))
    }

    /// Waits until the other side says so.
    pub fn hear(&self, what: &str) -> Result<()> {
        wait_within(PATIENCE, what, || Ok(self.path(what).exists().then_some(())))
    }

    /// Whether the other side has said so.
    pub fn has_heard(&self, what: &str) -> bool {
        self.path(what).exists()
    }
}
