//! A dead man that is a timer of systemd, and a unit for the next boot.

use std::path::Path;
use std::time::Duration;

use super::{DeadManOrder, own_program};
use crate::kinds::File;
use crate::program::{Ran, run};
use crate::{ChangeError, Contents, FileState, Kind, State};

/// How long systemd may take to answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// sd_booted(3): this directory exists when systemd is the init system.
pub(in crate::transaction) fn is_running() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn name(id: i64) -> String {
    format!("narrows-trial-{id}")
}

fn unit(id: i64) -> File {
    File { path: format!("/etc/systemd/system/{}-boot.service", name(id)) }
}

fn wants(id: i64) -> File {
    File { path: format!("/etc/systemd/system/sysinit.target.wants/{}-boot.service", name(id)) }
}

fn late_unit(id: i64) -> File {
    File { path: format!("/etc/systemd/system/{}-boot-databases.service", name(id)) }
}

fn late_wants(id: i64) -> File {
    File { path: format!("/etc/systemd/system/multi-user.target.wants/{}-boot-databases.service", name(id)) }
}

/// Starts a transient timer (systemd-run(1)) and puts a unit in the way of the next boot.
pub(super) fn arm(order: &DeadManOrder) -> Result<(), ChangeError> {
    let id = order.id;
    let program = own_program()?.display().to_string();
    let directory = order.state_directory.display().to_string();
    let undo = ["undo", &id.to_string(), "--unless-confirmed", "--state-dir", &directory].map(str::to_owned);
    unit(id).write(&boot_unit(&program, &undo))?;
    wants(id).write(&State::Link { to: unit(id).path })?;
    if order.databases {
        late_unit(id).write(&late_boot_unit(&program, &undo))?;
        late_wants(id).write(&State::Link { to: late_unit(id).path })?;
    }
    let unit = format!("--unit={}", name(id));
    let after = format!("--on-active={}ms", order.after.as_millis());
    let mut words = vec![
        "systemd-run",
        "--quiet",
        "--collect",
        &unit,
        &after,
        "--timer-property=AccuracySec=100ms",
        &program,
    ];
    words.extend(undo.iter().map(String::as_str));
    let attempted = "arm the dead man who would undo this";
    let why = match run(&words, DEADLINE)? {
        Ran::Ended { status, .. } if status.success() => return Ok(()),
        Ran::Ended { status, output } => format!("systemd-run: {} ({status})", output.trim()),
        Ran::NotInstalled => "systemd-run is not installed".to_owned(),
    };
    dismiss(id);
    Err(ChangeError::new(attempted, why))
}

/// Before anything reads its configuration; only after that the file systems it lies on. A boot does not wait for it
/// longer than a minute.
fn boot_unit(program: &str, undo: &[String]) -> State {
    let text = format!(
        "[Unit]\nDescription=Undo a trial of narrows that nobody confirmed before the boot\n\
         DefaultDependencies=no\nRequiresMountsFor=/var /etc\nAfter=local-fs.target\nBefore=sysinit.target\n\n\
         [Service]\nType=oneshot\nTimeoutStartSec=60\nExecStart={}\n",
        command_line(program, undo)
    );
    unit_file(text)
}

/// Once databases are started, again until one lets us in: the undo ends with an error while it does not.
fn late_boot_unit(program: &str, undo: &[String]) -> State {
    let text = format!(
        "[Unit]\nDescription=Undo a trial of narrows in databases that nobody confirmed before the boot\n\
         After=network.target mariadb.service mysql.service mysqld.service proxysql.service\nStartLimitIntervalSec=0\n\n\
         [Service]\nRestart=on-failure\nRestartSec=5\nExecStart={}\n",
        command_line(program, undo)
    );
    unit_file(text)
}

fn command_line(program: &str, undo: &[String]) -> String {
    let line = std::iter::once(program).chain(undo.iter().map(String::as_str));
    line.map(quoted).collect::<Vec<_>>().join(" ")
}

fn unit_file(text: String) -> State {
    State::File(FileState {
        contents: Contents(text.into_bytes()),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: FileState::MODIFIED_BY_WRITING,
        attributes: Default::default(),
        links: 0,
    })
}

/// A word of a command line as systemd.service(5) reads it, with nothing in it expanded.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', r"\\").replace('"', r#"\""#).replace('%', "%%").replace('$', "$$");
    format!("\"{word}\"")
}

/// Takes both away. They would find nothing to do, so that a failure does no harm.
pub(super) fn dismiss(id: i64) {
    let _ = run(&["systemctl", "stop", &format!("{}.timer", name(id))], DEADLINE);
    let _ = wants(id).write(&State::Absent);
    let _ = unit(id).write(&State::Absent);
    let _ = late_wants(id).write(&State::Absent);
    let _ = late_unit(id).write(&State::Absent);
}
