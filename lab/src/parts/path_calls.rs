//! Counts the system calls by which a worker of PHP-FPM asks for files.

use std::process::{Child, Stdio};

use crate::faults::tools::STRACE;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result, report_left_behind};
use crate::machine::{Machine, count};

/// Calls that name a path below a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathCalls {
    /// All of them.
    pub calls: f64,
    /// Those that failed with ENOENT.
    pub missing: f64,
}

/// What strace writes.
const LOG: &str = "/run/calls.strace";

/// Counts what every worker asks for below a folder while some work is done.
pub fn counted(machine: &Machine, below: &str, work: impl FnOnce() -> Result<()>) -> Result<PathCalls> {
    let workers = machine.workers()?;
    let tracer = Tracer::attach(machine, workers)?;
    let done = work();
    tracer.detach()?;
    done?;
    let log = machine.site.read(LOG)?;
    let below = format!("\"{below}");
    let calls = log.lines().filter(|line| line.contains(&below));
    Ok(PathCalls {
        calls: count(calls.clone().count()),
        missing: count(calls.filter(|line| line.contains("ENOENT")).count()),
    })
}

struct Tracer<'a> {
    machine: &'a Machine,
    workers: Vec<String>,
    strace: Child,
}

impl<'a> Tracer<'a> {
    fn attach(machine: &'a Machine, workers: Vec<String>) -> Result<Self> {
        let mut command = machine.site.command(STRACE.program);
        command.args(["-f", "-qq", "-e", "trace=%file", "-o", LOG]);
        for worker in &workers {
            command.args(["-p", worker]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let strace = command.spawn().attempt(|| "start strace".to_owned())?;
        let mut tracer = Self { machine, workers, strace };
        wait_until("a tracer of every worker", || tracer.has_all())?;
        Ok(tracer)
    }

    fn has_all(&mut self) -> Result<bool> {
        if let Some(status) = self.strace.try_wait().attempt(|| "look after strace".to_owned())? {
            return Err(FaultError::new(format!("strace ended with {status}")));
        }
        for worker in &self.workers {
            if self.tracer_of(worker)? == "0" {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The process that traces a worker, as the machine numbers it; 0 where none does.
    fn tracer_of(&self, worker: &str) -> Result<String> {
        let status = self.machine.site.read(&format!("/proc/{worker}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        Ok(line.unwrap_or("0").trim().to_owned())
    }

    fn detach(mut self) -> Result<()> {
        let first = self.workers.first().ok_or_else(|| FaultError::new("PHP-FPM has no worker"))?;
        let strace = self.tracer_of(first)?;
        self.machine.run(&["kill", "-INT", &strace])?;
        self.strace.wait().attempt(|| "wait for strace".to_owned()).map(drop)
    }
}

impl Drop for Tracer<'_> {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to kill.
        if self.strace.try_wait().is_ok_and(|end| end.is_none())
            && let Err(error) = self.strace.kill().and_then(|()| self.strace.wait())
        {
            report_left_behind(error);
        }
    }
}
