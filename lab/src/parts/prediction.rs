//! Foretells at low load with `narrows check --rate`, and measures with `narrows prove`.

use std::process::{Child, Command, Stdio};

use model::report::Report;
use serde_json::Value;

use crate::faults::netns::Namespace;
use crate::faults::wait::wait_for;
use crate::faults::{Attempt, FaultError, Result, kernel};
use crate::narrows::program;

/// How long the host is read while it is told the rate.
const READ_S: u32 = 12;
/// Load comes this much before and after the reading.
const MARGIN_S: u32 = 2;

/// A load and where it goes.
pub struct Load<'a> {
    /// Where it comes from.
    pub from: &'a Namespace,
    /// The address.
    pub url: &'a str,
    /// Further options of `narrows prove`.
    pub options: &'a [&'a str],
}

impl Load<'_> {
    /// `narrows prove --load`, with a rate and times in seconds, and what it printed.
    pub fn offer(&self, per_s: f64, warm_up_s: u32, for_s: u32) -> Result<Value> {
        let (rate, times) = (per_s.to_string(), [format!("{warm_up_s}s"), format!("{for_s}s")]);
        let [warm_up, duration] = &times;
        self.prove(&["--rate", &rate, "--warm-up", warm_up, "--for", duration])
    }

    /// The knee in requests per second, from a rate upwards.
    pub fn knee(&self, from_per_s: f64) -> Result<f64> {
        let from = from_per_s.to_string();
        let found = self.prove(&["--knee", "--rate", &from, "--warm-up", "2s", "--for", "8s"])?;
        let measured = &found["measured"];
        let end = measured["end"].as_str().unwrap_or_default();
        match measured["carried_per_s"].as_f64().filter(|_| end == "stack") {
            Some(carried) => Ok(carried),
            None => Err(FaultError::new(format!("no knee was found ({end}): {measured}"))),
        }
    }

    fn prove(&self, options: &[&str]) -> Result<Value> {
        let mut command = self.from.command(program()?);
        command.args(["prove", "--format", "json", "--load", self.url]).args(options).args(self.options);
        let output = command.output().attempt(|| "run narrows prove".to_owned())?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(FaultError::new(format!(
                "narrows prove {options:?}: {}\n{complaint}",
                output.status
            )));
        }
        serde_json::from_slice(&output.stdout).attempt(|| "understand what prove printed".to_owned())
    }

    /// Reads a namespace with `narrows check --rate` while so much load is offered; gives what a station whose name begins so
    /// foretells.
    pub fn foretell(&self, read: &Namespace, per_s: f64, station: &str) -> Result<f64> {
        let rate = per_s.to_string();
        let duration = format!("{}s", READ_S + 2 * MARGIN_S);
        let mut load = self.from.command(program()?);
        load.args(["prove", "--load", self.url, "--rate", &rate, "--warm-up", "1s", "--for", &duration]);
        let mut load = Running::start(load.args(self.options))?;
        wait_for("some load", || {
            load.check_alive()?;
            let opened = kernel::network_counter(load.pid(), "snmp", "Tcp", "ActiveOpens")?;
            Ok((opened as f64 >= per_s * f64::from(MARGIN_S)).then_some(()))
        })?;
        let report = check(read, &rate)?;
        load.finish()?;
        let stations = report.stations.iter();
        let found = stations.clone().find(|each| each.id.starts_with(station));
        found.and_then(|found| found.saturates_at_requests_per_s).ok_or_else(|| {
            let known: Vec<_> = stations.map(|each| each.id.as_str()).collect();
            FaultError::new(format!("check foretells nothing of {station}, but knows {}", known.join(", ")))
        })
    }
}

fn check(namespace: &Namespace, rate: &str) -> Result<Report> {
    let mut command = namespace.command(program()?);
    let window = format!("{READ_S}s");
    command.args(["check", "--format", "json", "--fail-on", "never", "--for", &window, "--rate", rate]);
    let output = command.output().attempt(|| "run narrows check".to_owned())?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(FaultError::new(format!("narrows check: {}\n{complaint}", output.status)));
    }
    serde_json::from_slice(&output.stdout).attempt(|| "understand a report".to_owned())
}

/// A program that is killed when dropped.
struct Running(Child);

impl Running {
    /// Starts it without a terminal.
    fn start(command: &mut Command) -> Result<Self> {
        let shown = format!("start {command:?}");
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        quiet.spawn().map(Self).attempt(|| shown)
    }

    /// Its process id.
    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Fails, saying how, where it has ended.
    fn check_alive(&mut self) -> Result<()> {
        match self.0.try_wait().attempt(|| "look after a program".to_owned())? {
            None => Ok(()),
            Some(status) => Err(FaultError::new(format!("a program ended early: {status}"))),
        }
    }

    /// Waits for its end, which must be a good one.
    fn finish(mut self) -> Result<()> {
        let status = self.0.wait().attempt(|| "wait for a program".to_owned())?;
        if status.success() { Ok(()) } else { Err(FaultError::new(format!("a program ended with {status}"))) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
