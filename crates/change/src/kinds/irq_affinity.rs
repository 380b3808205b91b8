//! The CPUs an interrupt may go to: `/proc/irq/N/smp_affinity_list`.

use serde::{Deserialize, Serialize};

use crate::{Action, ChangeError, Kind, State};

/// The CPUs an interrupt may go to: `/proc/irq/N/smp_affinity_list`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IrqAffinity {
    /// Its number.
    pub irq: u32,
    /// Its name in `/proc/interrupts`, by which it is found after a boot.
    pub name: String,
}

impl Kind for IrqAffinity {
    fn name(&self) -> String {
        format!("{}", self.irq)
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
