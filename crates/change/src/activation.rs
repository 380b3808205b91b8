//! Has a service take up files that have changed.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::ChangeError;
use crate::plan::{Activation, ActivationKind};
use crate::program::{Ran, lines_that_matter, run};

/// How long a question or a reload may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long a restart may take: a little more than systemd gives a service to start (`DefaultTimeoutStartSec=`, 90 s).
const RESTART_DEADLINE: Duration = Duration::from_secs(100);

/// How long a service may take to be seen running after it was told. Nginx, for one, leaves its caller before it has
/// written the file with its number.
const SEEN_RUNNING: Duration = Duration::from_secs(3);

/// How often it is looked for.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationOutcome {
    /// It was told, and runs.
    Done,
    /// It does not run, and so reads its files when it starts.
    NotRunning,
}

/// Performs an activation: by systemd where that runs, else by the service's script in `/etc/init.d`, else by Nginx
/// itself. A service that does not run is not started.
///
/// # Errors
/// When there is no way to reach the service, when it refuses or does not answer within 20 seconds (100 for a restart),
/// or when it does not run any more afterwards.
pub fn activate(activation: &Activation) -> Result<ActivationOutcome, ChangeError> {
    let unit = activation.unit.as_str();
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    // sd_booted(3).
    let systemd = Path::new("/run/systemd/system").is_dir();
    let script = Path::new("/etc/init.d").join(name).is_file() && !name.contains('/');
    match (activation.how, verb(activation.how)) {
        (ActivationKind::DaemonReload, _) if !systemd => Ok(ActivationOutcome::NotRunning),
        (ActivationKind::DaemonReload, verb) => {
            told(&["systemctl", verb], DEADLINE).map(|()| ActivationOutcome::Done)
        }
        (ActivationKind::Timer, _) if !systemd => Ok(ActivationOutcome::NotRunning),
        (ActivationKind::Timer, _) => timer(unit),
        (_, verb) if systemd => by_manager(
            &["systemctl", "is-active", "--quiet", "--", unit],
            &["systemctl", "--no-ask-password", verb, "--", unit],
            activation,
        ),
        (_, verb) if script => by_manager(&["service", name, "status"], &["service", name, verb], activation),
        (ActivationKind::Reload, _) if name == "nginx" => reload_nginx(),
        (_, verb) => {
            let why = "neither systemd runs here nor has /etc/init.d a script of that name";
            Err(ChangeError::new(format!("{verb} {unit}"), why)
                .help(format!("{verb} the service by hand, as whatever started it does that")))
        }
    }
}

const fn verb(how: ActivationKind) -> &'static str {
    match how {
        ActivationKind::Reload => "reload",
        ActivationKind::Restart => "restart",
        ActivationKind::DaemonReload => "daemon-reload",
        ActivationKind::Timer => "start",
    }
}

/// Has a timer count as its file says, or no more where an undo has taken the file away.
fn timer(unit: &str) -> Result<ActivationOutcome, ChangeError> {
    let there = Path::new("/etc/systemd/system").join(unit).is_file();
    if there {
        told(&["systemctl", "--no-ask-password", "restart", "--", unit], DEADLINE)?;
        return Ok(ActivationOutcome::Done);
    }
    if is_running(&["systemctl", "is-active", "--quiet", "--", unit])? {
        told(&["systemctl", "--no-ask-password", "stop", "--", unit], DEADLINE)?;
    }
    Ok(ActivationOutcome::Done)
}

/// Asks a service manager whether the service runs, tells it, and asks again.
fn by_manager(
    status: &[&str],
    command: &[&str],
    activation: &Activation,
) -> Result<ActivationOutcome, ChangeError> {
    if !is_running(status)? {
        return Ok(ActivationOutcome::NotRunning);
    }
    let restart = activation.how == ActivationKind::Restart;
    told(command, if restart { RESTART_DEADLINE } else { DEADLINE })?;
    let told_at = Instant::now();
    loop {
        if is_running(status)? {
            return Ok(ActivationOutcome::Done);
        }
        if told_at.elapsed() >= SEEN_RUNNING {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let log = format!("see journalctl -u {} or its log in /var/log", activation.unit);
    Err(ChangeError::new(format!("run {}", command.join(" ")), "the service does not run any more").help(log))
}

/// Whether a service runs. Of the exit statuses of `status` (LSB, "Init Script Actions"; systemctl(1)) 0 says that it
/// does and 1 to 3 that it does not.
fn is_running(words: &[&str]) -> Result<bool, ChangeError> {
    let attempted = format!("run {}", words.join(" "));
    match run(words, DEADLINE)? {
        Ran::Ended { status, output } => match status.code() {
            Some(0) => Ok(true),
            Some(1..=3) => Ok(false),
            _ => Err(ChangeError::new(attempted, said(&output, &status.to_string()))),
        },
        Ran::NotInstalled => Err(ChangeError::new(attempted, "there is no such program")),
    }
}

fn told(words: &[&str], deadline: Duration) -> Result<(), ChangeError> {
    let attempted = format!("run {}", words.join(" "));
    match run(words, deadline)? {
        Ran::Ended { status, .. } if status.success() => Ok(()),
        Ran::Ended { status, output } => Err(ChangeError::new(attempted, said(&output, &status.to_string()))),
        Ran::NotInstalled => Err(ChangeError::new(attempted, "there is no such program")),
    }
}

/// The last lines that a program wrote, and how it ended.
fn said(output: &str, status: &str) -> String {
    let mut lines = lines_that_matter(output, |_| false);
    lines.push(status.to_owned());
    lines.join("; ")
}

/// `nginx -s reload` finds the running Nginx by the `pid` of its own configuration.
fn reload_nginx() -> Result<ActivationOutcome, ChangeError> {
    let words = ["nginx", "-s", "reload"];
    let attempted = words.join(" ");
    match run(&words, DEADLINE)? {
        Ran::Ended { status, .. } if status.success() => Ok(ActivationOutcome::Done),
        Ran::Ended { output, .. } if says_not_running(&output) => Ok(ActivationOutcome::NotRunning),
        Ran::Ended { status, output } => {
            Err(ChangeError::new(format!("run {attempted}"), said(&output, &status.to_string())))
        }
        Ran::NotInstalled => Ok(ActivationOutcome::NotRunning),
    }
}

/// What `ngx_signal_process` and `ngx_os_signal_process` say of a number that is not there, empty, or no process's. A
/// fault in the configuration is an `[emerg]`.
fn says_not_running(output: &str) -> bool {
    let no_file = |line: &str| ["[error]", "open() \"", "failed (2:"].iter().all(|part| line.contains(part));
    output.contains("invalid PID number") || output.contains("No such process") || output.lines().any(no_file)
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
