//! An attribute of a block device: `/sys/block/DEVICE/queue/ATTRIBUTE`.

use serde::{Deserialize, Serialize};

use crate::{Action, ChangeError, Kind, State};

/// An attribute of a block device: `/sys/block/DEVICE/queue/ATTRIBUTE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockQueue {
    /// The device.
    pub device: String,
    /// The file below `queue`.
    pub attribute: String,
}

impl Kind for BlockQueue {
    fn name(&self) -> String {
        self.device.clone()
    }

    fn read(&self) -> Result<State, ChangeError> {
        Err(ChangeError::new(format!("read {}", self.name()), "not done yet"))
    }

    fn write(&self, _state: &State) -> Result<(), ChangeError> {
        Err(ChangeError::new(format!("write {}", self.name()), "not done yet"))
    }

    fn wanted(&self, _now: &State, _action: &Action) -> Result<State, ChangeError> {
        Err(ChangeError::new(format!("change {}", self.name()), "not done yet"))
    }

    fn shell(&self, _to: &State) -> Vec<String> {
        vec![]
    }

    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}
