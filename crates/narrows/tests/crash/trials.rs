//! Changes on trial: whatever becomes of the process or the terminal that made them, the dead man undoes them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use super::kills::{Scenario, Trial, succeed};
use super::scenarios::{edited_file, mount, qdisc, steering, sysctl, together};
use super::tracer::Interference;
use super::world::World;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result};

/// More changes than any transaction makes.
const MOST: usize = 5000;

fn five(world: &World) -> Result<Scenario> {
    let mut scenario = together([
        sysctl(world, "net.ipv4.tcp_fin_timeout", "30")?,
        steering(world)?,
        qdisc(world, "tap0", None)?,
        mount(world),
        edited_file(),
    ]);
    // What lasts over a boot is written at `narrows confirm`; here the file is to be part of the trial.
    scenario.wishes.iter_mut().for_each(|wish| wish.phase = change::Phase::Now);
    Ok(scenario)
}

impl Trial {
    /// Waits until the world is as it was and nobody is in it.
    pub(super) fn comes_back(&self) -> Result<()> {
        let mut left = vec![];
        let back = wait_until("the end of a trial", || {
            left = self.original.differences(&self.now()?);
            Ok(left.is_empty() && self.world.inhabitants()?.is_empty())
        });
        back.map_err(|error| FaultError::new(format!("{error}: {left:#?}")))
    }

    pub(super) fn on_trial(
        &self,
        state: &std::path::Path,
        time: &str,
        interference: Interference<'_>,
    ) -> Result<Option<i32>> {
        let arguments = ["apply", &self.plan, "--yes", "--try", time];
        let ended = self.world.narrows(&arguments, state, interference)?;
        match (ended.interfered, ended.code) {
            (false, Some(0)) | (true, None) => Ok(ended.code),
            (_, code) => Err(FaultError::new(format!("apply --try ended with {code:?}: {}", ended.said))),
        }
    }
}

#[test]
fn a_trial_ends_by_itself() -> Result<()> {
    let trial = Trial::prepare(five)?;
    let state = trial.state();
    trial.on_trial(&state, "2s", Interference::None)?;
    let changed = trial.original.differences(&trial.now()?);
    assert_eq!(changed.len(), trial.scenario.wishes.len(), "{changed:#?}");
    trial.comes_back()?;
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

#[test]
fn the_dead_man_needs_nobody_who_began_the_trial() -> Result<()> {
    let trial = Trial::prepare(five)?;
    let step = if std::env::var_os("NARROWS_CRASH_THOROUGH").is_some() { 1 } else { 9 };
    for change in (1..MOST).step_by(step) {
        let state = trial.state();
        let killed = trial.on_trial(&state, "1s", Interference::KillBefore(change))?;
        trial.comes_back()?;
        if killed.is_some() {
            return Ok(());
        }
    }
    Err(FaultError::new("apply --try never ended by itself"))
}

#[test]
fn an_undo_after_a_kill_leaves_the_dead_man_nothing_to_do() -> Result<()> {
    let trial = Trial::prepare(|world| sysctl(world, "net.ipv4.tcp_fin_timeout", "30"))?;
    for change in 1..MOST {
        let state = trial.state();
        let killed = trial.on_trial(&state, "1h", Interference::KillBefore(change))?;
        succeed("undo", &trial.undo(&state, Interference::None)?)?;
        assert_eq!(trial.losses(&state)?, [""; 0], "killed before change {change}");
        if killed.is_some() {
            // The undo has dismissed the dead man.
            return trial.nobody_is_left();
        }
        // Killed before his number was journaled, he waits on for the hour, and will find nothing to do.
        let mut dead_men = vec![];
        wait_until("nobody but dead men", || {
            dead_men = trial.world.inhabitants()?;
            Ok(dead_men.iter().all(|(_, line)| line.contains("dead-man")))
        })?;
        for (pid, line) in &dead_men {
            let pid = i32::try_from(*pid).attempt(|| format!("kill {line}"))?;
            // SAFETY: a plain system call on a process of this test's own world.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        trial.nobody_is_left()?;
    }
    Err(FaultError::new("apply --try never ended by itself"))
}

#[test]
fn a_connection_that_is_cut_ends_the_trial() -> Result<()> {
    let trial = Trial::prepare(five)?;
    let state = trial.state();
    let mut command = trial.world.command()?;
    command.args(["apply", &trial.plan, "--yes", "--try", "2s", "--state-dir"]).arg(&state);
    let (terminal, mut session) = on_a_terminal(&mut command)?;
    wait_until("a change on trial", || Ok(!trial.original.differences(&trial.now()?).is_empty()))?;
    // The kernel sends SIGHUP to the session.
    drop(terminal);
    trial.comes_back()?;
    session.wait().attempt(|| "wait for narrows".into())?;
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

/// Starts a command as the leader of a session on a terminal of its own. The terminal hangs up when its end here is
/// dropped.
fn on_a_terminal(command: &mut Command) -> Result<(OwnedFd, Child)> {
    let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::CLOEXEC)
        .attempt(|| "open a terminal".into())?;
    rustix::pty::grantpt(&master)
        .and_then(|()| rustix::pty::unlockpt(&master))
        .attempt(|| "open a terminal".into())?;
    let name = rustix::pty::ptsname(&master, vec![]).attempt(|| "name a terminal".into())?;
    let path = name.to_string_lossy().into_owned();
    let terminal = File::options().read(true).write(true).open(&path).attempt(|| format!("open {path}"))?;
    let copy = || terminal.try_clone().attempt(|| format!("copy {path}"));
    command.stdin(copy()?).stdout(copy()?).stderr(copy()?);
    let lead = || {
        rustix::process::setsid()?;
        // SAFETY: a plain system call on standard input, which is the terminal.
        match unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: system calls only.
    unsafe { command.pre_exec(lead) };
    let child = command.spawn().attempt(|| "start narrows on a terminal".into())?;
    Ok((master, child))
}
