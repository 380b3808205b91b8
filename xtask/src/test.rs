//! `cargo xtask test`: everything that must hold, on a machine that has Rust and nothing else.

use anyhow::bail;

use crate::packages;
use crate::run::{command, finish, run, watch};

/// Programs and files the tests use besides the lab's, and the Debian packages they come from.
const PACKAGES: &[(&str, &str)] = &[
    ("mkfs.ext4", "e2fsprogs"),
    ("unshare", "util-linux"),
    ("cc", "gcc"),
    ("ethtool", "ethtool"),
    ("php8.2", "php8.2-cli"),
    ("composer", "composer"),
    ("strace", "strace"),
    ("haproxy", "haproxy"),
    ("setfacl", "acl"),
    ("setfattr", "attr"),
    ("systemd-analyze", "systemd"),
    ("modprobe", "kmod"),
    ("pgrep", "procps"),
    ("service", "init-system-helpers"),
    ("shellcheck", "shellcheck"),
    ("patch", "patch"),
    ("git", "git"),
    ("script", "bsdutils"),
    ("/usr/lib/python3/dist-packages/yaml/__init__.py", "python3-yaml"),
];

/// Installs, checks and tests.
pub(crate) fn run_all() -> anyhow::Result<()> {
    install()?;
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let mut doc =
        command("cargo", &["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    finish(doc)?;
    crate::claims::run()?;
    tests()
}

fn install() -> anyhow::Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !command("cargo", &[probe, "--version"]).output()?.status.success() {
            run("rustup", &["component", "add", component])?;
        }
    }
    packages::install(&[PACKAGES, crate::lab::SERVERS].concat())
}

fn tests() -> anyhow::Result<()> {
    let (mut passed, mut failed) = (0, 0);
    let mut count = |line: &str| {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']).map(str::trim) {
            let number =
                |suffix| part.strip_suffix(suffix).and_then(|number: &str| number.trim().parse::<u64>().ok());
            passed += number("passed").unwrap_or(0);
            failed += number("failed").unwrap_or(0);
        }
    };
    let suites = [
        vec!["test", "--workspace", "--doc", "--no-fail-fast"],
        vec!["test", "--workspace", "--all-targets", "--no-fail-fast"],
    ];
    let mut succeeded = true;
    for suite in &suites {
        succeeded &= watch(command("cargo", suite), &mut count)?;
    }
    println!("{passed} passed, {failed} failed");
    if !succeeded || failed > 0 || passed == 0 {
        bail!("the tests did not pass");
    }
    Ok(())
}
