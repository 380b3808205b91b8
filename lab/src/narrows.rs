//! The program under test.

use std::path::PathBuf;
use std::process::Command;

use crate::faults::{Attempt, FaultError, Result};

/// The `narrows` that was built with whatever asks: beside it, or one folder up, where cargo puts it for tests.
pub fn program() -> Result<PathBuf> {
    let this = std::env::current_exe().attempt(|| "find the running program".to_owned())?;
    let places = this.ancestors().skip(1).take(2).map(|folder| folder.join("narrows"));
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| FaultError::new("there is no narrows beside this program: cargo build -p narrows"))
}

/// Builds it where there is none yet, by the profile of this test: a test of this package alone does not. Tests of the
/// workspace have built it, and building it again by itself would choose other features of the dependencies.
pub fn build_if_missing() -> Result<()> {
    if program().is_ok() {
        return Ok(());
    }
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "narrows"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let status = command.status().attempt(|| "run cargo build".to_owned())?;
    if status.success() { Ok(()) } else { Err(FaultError::new("narrows could not be built")) }
}
