//! An attribute of a block device: `/sys/block/DEVICE/queue/ATTRIBUTE`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::kernel_file;
use crate::{Action, ChangeError, Kind, State};

/// An attribute of a block device: `/sys/block/DEVICE/queue/ATTRIBUTE` (Documentation/ABI/stable/sysfs-block).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockQueue {
    /// The device.
    pub device: String,
    /// The file below `queue`.
    pub attribute: String,
}

impl BlockQueue {
    fn path(&self) -> Result<PathBuf, ChangeError> {
        kernel_file::below("/sys/block", &[&self.device, "queue", &self.attribute])
    }

    fn line(&self, to: &State) -> Option<String> {
        let value = kernel_file::value_of(&self.name(), to).ok()?;
        Some(kernel_file::line(&self.path().ok()?, value))
    }
}

impl Kind for BlockQueue {
    fn name(&self) -> String {
        format!("{}/queue/{}", self.device, self.attribute)
    }

    fn read(&self) -> Result<State, ChangeError> {
        let text = kernel_file::read(&self.name(), &self.path()?)?;
        Ok(State::text(if self.attribute == "scheduler" { chosen(&text).to_owned() } else { text }))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let path = self.path()?;
        let value = kernel_file::value_of(&self.name(), state)?;
        kernel_file::write(&self.name(), &path, value).map_err(|error| {
            let offered = kernel_file::read(&self.name(), &path).unwrap_or_default();
            match error.errno {
                Some(libc::EINVAL) if self.attribute == "scheduler" => {
                    error.help(format!("this device offers: {}", offered.replace(['[', ']'], "")))
                }
                Some(libc::EINVAL) => error.help("the device or its driver does not take this value"),
                _ => error,
            }
        })
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        kernel_file::value_to_set(&self.name(), now, action).map(State::text)
    }

    fn normal(&self, state: &State) -> State {
        kernel_file::respelled(state, kernel_file::single_blanks)
    }

    fn shell(&self, to: &State) -> Vec<String> {
        self.line(to).into_iter().collect()
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        Some(self.shell(to))
    }
}

/// The one in brackets of `[none] mq-deadline kyber`; all of it where there is no choice.
fn chosen(text: &str) -> &str {
    let bracketed = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    bracketed.map_or(text, |(chosen, _)| chosen).trim()
}

#[cfg(test)]
#[path = "block_queue_tests.rs"]
mod tests;
