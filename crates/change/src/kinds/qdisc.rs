//! The queueing discipline at the root of an interface.

use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use crate::{Action, ChangeError, Kind, State};

/// The queueing discipline at the root of an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Qdisc {
    /// The network interface.
    pub interface: String,
    /// The network namespace of the interface; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Kind for Qdisc {
    fn name(&self) -> String {
        self.interface.clone()
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
