//! Installs the peers where they are missing, without starting their daemons.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use crate::run::{command, exists, finish, run};

/// Programs, and the Debian packages they come from.
const PACKAGES: &[(&str, &str)] = &[
    ("prometheus-node-exporter", "prometheus-node-exporter"),
    ("pidstat", "sysstat"),
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
];

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

/// Installs what is missing. A machine without apt-get is measured without the peers it does not have.
pub(super) fn peers() -> anyhow::Result<()> {
    let missing = PACKAGES.iter().filter(|(program, _)| !exists(program));
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() || !exists("apt-get") {
        return Ok(());
    }
    let _no_daemons = NoDaemons::forbid()?;
    let lists = fs::read_dir("/var/lib/apt/lists").map_or(0, Iterator::count);
    if lists < 3 {
        run("apt-get", &["update", "-qq"])?;
    }
    let mut install = command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(missing).env("DEBIAN_FRONTEND", "noninteractive");
    finish(install)
}
