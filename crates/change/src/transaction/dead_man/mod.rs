//! The dead man: undoes a trial at its deadline, whatever became of the process, the terminal or the connection that
//! began it.
//!
//! Under systemd it is a transient timer, and a unit that undoes an unconfirmed trial at the next boot. Elsewhere it is
//! a process of its own session; a boot ends that, and with it every kernel value of the trial. What lasts over a
//! boot is written at `narrows confirm` only, but for configuration files that services take up now.

mod process;
mod systemd;

use std::path::PathBuf;
use std::time::Duration;

pub use process::{undo_unless_confirmed, wait_and_undo};
pub(super) use systemd::is_running as systemd_runs;

use crate::ChangeError;
use crate::journal::Journal;

/// What a dead man is to do.
#[derive(Debug, Clone)]
pub struct DeadManOrder {
    /// The transaction to undo.
    pub id: i64,
    /// Where its journal lies.
    pub state_directory: PathBuf,
    /// How long to wait, by a clock that goes on while the machine sleeps (`CLOCK_BOOTTIME`).
    pub after: Duration,
    /// Whether databases are on trial, which a boot starts late.
    pub databases: bool,
}

/// Arms the dead man. When this returns he is waiting. Answers his process and the tick at which it started, where he
/// is one of ours.
pub(super) fn arm(order: &DeadManOrder) -> Result<Option<(u32, u64)>, ChangeError> {
    if systemd::is_running() { systemd::arm(order).map(|()| None) } else { process::arm(order).map(Some) }
}

/// Sends the dead man home. He would find nothing to do, so that it is no failure when he cannot be reached.
pub(super) fn dismiss(journal: &Journal, id: i64) {
    let Ok(transaction) = journal.transaction(id) else { return };
    if transaction.deadline_unix_ms.is_none() {
        return;
    }
    if let Some(process) = transaction.dead_man {
        process::dismiss(process);
    }
    if systemd::is_running() {
        systemd::dismiss(id);
    }
}

fn own_program() -> Result<PathBuf, ChangeError> {
    std::env::current_exe().map_err(|error| ChangeError::io("find narrows itself", &error))
}
