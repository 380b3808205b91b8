//! `cargo xtask deny`: licences and advisories, by cargo-deny, which needs the network and minutes to build.

use crate::run::{command, run};

/// Installs cargo-deny where it is missing, and runs it.
pub(crate) fn run_checks() -> anyhow::Result<()> {
    if !command("cargo", &["deny", "--version"]).output()?.status.success() {
        run("cargo", &["install", "--locked", "cargo-deny"])?;
    }
    run("cargo", &["deny", "check"])
}
