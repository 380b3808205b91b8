use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::faults::netns::Namespace;
use crate::faults::tools::{IP, SETPRIV};
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result, kernel, report_left_behind};

/// A server in the foreground, in a process group of its own; stopped when dropped.
pub struct Service {
    name: &'static str,
    process: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program in a network namespace; what it prints goes to `log`.
    ///
    /// The kernel sends it SIGTERM when the thread that started it ends, so that Ctrl-C leaves no server behind.
    pub fn start(name: &'static str, namespace: &Namespace, words: &[&str], folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.out"));
        let printed = File::create(&log).attempt(|| format!("make {}", log.display()))?;
        let errors = printed.try_clone().attempt(|| format!("open {}", log.display()))?;
        let mut command = Command::new(SETPRIV.program);
        command.args(["--pdeathsig", "TERM", "--", IP.program, "netns", "exec", namespace.name()]);
        command.args(words).current_dir(folder).process_group(0);
        command.stdin(Stdio::null()).stdout(printed).stderr(errors);
        let process = command.spawn().attempt(|| format!("start {name}"))?;
        Ok(Self { name, process, log })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it is `ready`, and fails with what it printed when it ends before.
    pub fn wait_until_ready(&mut self, mut ready: impl FnMut() -> bool) -> Result<()> {
        let name = self.name;
        wait_until(&format!("{name} that serves"), || {
            match self.process.try_wait().attempt(|| format!("look after {name}"))? {
                None => Ok(ready()),
                Some(status) => {
                    let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                    Err(FaultError::new(format!("{name} ended with {status}:\n{said}")))
                }
            }
        })
    }

    /// The processes that it started itself, such as nginx's workers.
    pub fn children(&self) -> Result<Vec<Pid>> {
        let pid = self.pid();
        let listed = kernel::read(&format!("/proc/{pid}/task/{pid}/children"))?;
        Ok(listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect())
    }

    /// Sends a signal to the server itself.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.id()?, signal).attempt(|| format!("signal {}", self.name))
    }

    fn id(&self) -> Result<Pid> {
        let id = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        id.ok_or_else(|| FaultError::new("a process id is no pid_t"))
    }

    fn stop(&mut self) -> Result<()> {
        if self.process.try_wait().attempt(|| format!("look after {}", self.name))?.is_none() {
            self.signal(Signal::TERM)?;
            let ended = wait_until("its end", || Ok(self.process.try_wait().is_ok_and(|end| end.is_some())));
            if ended.is_err() {
                let _ = kill_process_group(self.id()?, Signal::KILL);
                let _ = self.process.wait();
            }
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            report_left_behind(format!("{}: {error}", self.name));
        }
    }
}

/// A temporary folder that the users of servers may enter.
pub fn folder() -> Result<TempDir> {
    let folder = TempDir::with_prefix("narrows-lab-").attempt(|| "make a folder for servers".to_owned())?;
    let path = folder.path();
    std::fs::set_permissions(path, Permissions::from_mode(0o755))
        .attempt(|| format!("open {} to others", path.display()))?;
    Ok(folder)
}

/// Writes a file of a server.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).attempt(|| format!("write {}", path.display()))
}
