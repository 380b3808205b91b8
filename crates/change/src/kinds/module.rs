//! A kernel module, loaded or not.

use serde::{Deserialize, Serialize};

use crate::{Action, ChangeError, Kind, State};

/// A kernel module, loaded or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Module {
    /// The module.
    pub name: String,
}

impl Kind for Module {
    fn name(&self) -> String {
        self.name.clone()
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
