//! Without root's rights.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::check::{NARROWS, run};
use crate::faults::tools::{SETPRIV, require_root};
use crate::faults::{Attempt, Result};

/// The user `nobody` of every distribution.
const NOBODY: &str = "65534";

#[test]
fn nobody_gets_a_report_that_says_what_root_would_add() -> Result<()> {
    require_root()?;
    // The user cannot reach a target directory below somebody's home.
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let program = directory.path().join("narrows");
    fs::copy(NARROWS, &program).attempt(|| "copy narrows".into())?;
    for path in [directory.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).attempt(|| "open a directory".into())?;
    }
    let mut command = Command::new(SETPRIV.program);
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(&program);
    let checked = run(command.args(["check", "--for", "2s", "--format", "json"]).current_dir("/"))?;
    let report = &checked.report;
    println!("exit code {}, not read: {:#?}", checked.exit_code, report.unread);
    assert!((0..=1).contains(&checked.exit_code), "exit code {}", checked.exit_code);
    assert_eq!(report.host.root, Some(false));
    // The slab table is asked for only where slabs take a twentieth of memory, so it may be missing here.
    let restricted = [("tasks", "/proc/1/stack"), ("settings", "/proc/sys/net/ipv4/tcp_fastopen_key")];
    for (layer, path) in restricted {
        let named = report.unread.iter().find(|unread| unread.layer == layer && unread.why.contains(path));
        assert!(named.is_some_and(|unread| unread.how_to_enable.contains("root")), "{path}: {named:?}");
    }
    Ok(())
}
