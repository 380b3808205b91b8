//! A kernel parameter below `/proc/sys`.

use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use crate::{Action, ChangeError, Kind, State};

/// A kernel parameter below `/proc/sys`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sysctl {
    /// The key with dots.
    pub key: String,
    /// The network namespace it belongs to; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Kind for Sysctl {
    fn name(&self) -> String {
        self.key.clone()
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
