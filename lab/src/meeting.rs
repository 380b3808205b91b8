//! How a guest and the machine around it meet: files in the folder that both see.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::faults::wait::wait_within;
use crate::faults::{Attempt, FaultError, Result};

/// The longest that one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the host's side says when its work has failed, with the reason.
const FAILED: &str = ".failed";

/// A folder that both sides see.
pub struct Meeting {
    folder: PathBuf,
    /// Set when the other side is gone for good.
    alone: Arc<AtomicBool>,
}

impl Meeting {
    /// The guest's side.
    pub fn inside() -> Self {
        Self { folder: PathBuf::from("/lab"), alone: Arc::default() }
    }

    /// The host's side of a guest whose shared folder this is. `gone` is set when the guest has ended.
    pub fn outside(folder: &Path, gone: Arc<AtomicBool>) -> Self {
        Self { folder: folder.to_owned(), alone: gone }
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Says that something is so.
    pub fn say(&self, what: &str) -> Result<()> {
        std::fs::write(self.path(what), "").attempt(|| format!("say {what} to the other side"))
    }

    /// Hands something over; the other side sees all of it or nothing.
    pub fn tell(&self, what: &str, content: &impl Serialize) -> Result<()> {
        let attempted = || format!("tell the other side {what}");
        let (draft, place) = (self.path(&format!(".{what}.draft")), self.path(what));
        let json = serde_json::to_vec(content).attempt(attempted)?;
        std::fs::write(&draft, json).and_then(|()| std::fs::rename(&draft, place)).attempt(attempted)
    }

    /// Waits until the other side says so.
    pub fn hear(&self, what: &str) -> Result<()> {
        wait_within(PATIENCE, what, || {
            let heard = self.has_heard(what).then_some(());
            match heard {
                None => self.still_met().map(|()| None),
                heard => Ok(heard),
            }
        })
    }

    /// Waits for what the other side hands over.
    pub fn be_told<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        self.hear(what)?;
        let json =
            std::fs::read(self.path(what)).attempt(|| format!("read what the other side said: {what}"))?;
        serde_json::from_slice(&json).attempt(|| format!("understand what the other side said: {what}"))
    }

    /// Whether the other side has said so.
    pub fn has_heard(&self, what: &str) -> bool {
        self.path(what).exists()
    }

    /// Tells the guest that the work outside has failed, so that it does not wait for it.
    pub fn give_up(&self, error: &FaultError) {
        // A guest that cannot be told waits until its patience ends.
        let _ = std::fs::write(self.path(FAILED), error.to_string());
    }

    /// An error where the other side is gone or has given up.
    pub fn still_met(&self) -> Result<()> {
        if self.alone.load(Relaxed) {
            return Err(FaultError::new("the other side is gone"));
        }
        match std::fs::read_to_string(self.path(FAILED)) {
            Ok(why) => Err(FaultError::new(format!("the work outside the guest failed: {why}"))),
            Err(_) => Ok(()),
        }
    }
}
