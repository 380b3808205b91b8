//! Installs Debian packages that are missing, without starting their daemons.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use crate::run::{command, exists, finish, run};

/// Asked by packages before they start a daemon; status 101 forbids it (Debian's policy-rc.d specification).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Forbids daemons to start for as long as it lives, unless something else already decides that.
struct NoDaemons {
    ours: bool,
}

impl NoDaemons {
    fn forbid() -> std::io::Result<Self> {
        let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        match created {
            Ok(mut file) => file.write_all(b"#!/bin/sh\nexit 101\n").map(|()| Self { ours: true }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error),
        }
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("{POLICY} is left behind: {error}");
        }
    }
}

/// Installs the packages of the programs that are missing: pairs of a program and the package it comes from.
pub(crate) fn install(programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing = programs.iter().filter(|(program, _)| !exists(program));
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let _no_daemons = NoDaemons::forbid()?;
    println!("installing {}", missing.join(" "));
    run("apt-get", &["update", "-qq"])?;
    let mut install = command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(missing).env("DEBIAN_FRONTEND", "noninteractive");
    finish(install)
}
