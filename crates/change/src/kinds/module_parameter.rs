//! A parameter of a loaded module: `/sys/module/MODULE/parameters/PARAMETER`.

use serde::{Deserialize, Serialize};

use crate::{Action, ChangeError, Kind, State};

/// A parameter of a loaded module: `/sys/module/MODULE/parameters/PARAMETER`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModuleParameter {
    /// The module.
    pub module: String,
    /// The parameter.
    pub parameter: String,
}

impl Kind for ModuleParameter {
    fn name(&self) -> String {
        self.module.clone()
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
