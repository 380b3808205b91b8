//! Runs `narrows check` and takes its report apart.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use model::report::{CauseReport, DifferentialRow, Report, SymptomReport};
use model::{Severity, Verdict};

use super::noise::{Disturbance, Noise, wait_for_a_gap};
use crate::faults::wait::wait_within;
use crate::faults::{Attempt, Fault, FaultError, Result, kernel};

/// The program under test.
pub(crate) const NARROWS: &str = env!("CARGO_BIN_EXE_narrows");
/// A check that has not ended by then never will.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a check is repeated while the machine is busy with something else.
const PATIENCE: Duration = Duration::from_secs(100);

/// The outcome of one `narrows check`.
pub(crate) struct Checked {
    pub(crate) report: Report,
    pub(crate) exit_code: i32,
    pub(crate) took: Duration,
    /// The most memory it held at once, up to 10 ms before its end. (`ru_maxrss` would count the test that started it.)
    pub(crate) peak_kib: u64,
    /// What else the machine did meanwhile, where [`check_in_quiet`] measured it.
    pub(crate) noise: Option<Disturbance>,
}

/// Runs `narrows check` where a fault can be seen.
pub(crate) fn check(fault: &impl Fault, options: &[&str]) -> Result<Checked> {
    run(fault.command(NARROWS).args(["check", "--format", "json"]).args(options))
}

/// Runs a prepared check to its end, which must come and leave a report.
pub(crate) fn run(command: &mut Command) -> Result<Checked> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .attempt(|| "start narrows".into())?;
    let (output, complaints) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let (pid, mut peak_kib) = (child.id(), 0);
    let ended = wait_within(DEADLINE, "the end of narrows", || {
        peak_kib = peak_kib.max(kernel::peak_kib(pid, "narrows").unwrap_or(0));
        child.try_wait().attempt(|| "wait for narrows".into())
    });
    let status = ended.inspect_err(|_| drop(child.kill()))?;
    let took = start.elapsed();
    let text = |gathered: thread::JoinHandle<Vec<u8>>| gathered.join().unwrap_or_default();
    let (output, complaints) = (text(output), String::from_utf8_lossy(&text(complaints)).into_owned());
    let report = serde_json::from_slice(&output)
        .attempt(|| format!("read the report (narrows ended with {status}): {complaints}"))?;
    match status.code() {
        Some(exit_code) if !complaints.contains("panicked") => {
            Ok(Checked { report, exit_code, took, peak_kib, noise: None })
        }
        _ => Err(FaultError::new(format!("narrows ended with {status}: {complaints}"))),
    }
}

fn gather(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Checks until `judge` agrees. A try only counts against narrows if the machine was quiet meanwhile.
pub(crate) fn check_in_quiet(
    fault: &impl Fault,
    options: &[&str],
    judge: impl Fn(&Checked) -> Result<()>,
) -> Result<Checked> {
    let (start, mut objections) = (Instant::now(), Vec::new());
    while start.elapsed() < PATIENCE {
        let before = Noise::now()?;
        let mut checked = check(fault, options)?;
        let noise = before.until_now()?;
        let (shown, loud) = (noise.to_string(), noise.is_loud());
        checked.noise = Some(noise);
        match judge(&checked) {
            Ok(()) => {
                objections.iter().for_each(|objection| println!("tried again, {objection}"));
                println!("agreed ({shown})");
                return Ok(checked);
            }
            Err(objection) if loud => {
                objections.push(format!("{shown}: {objection}"));
                wait_for_a_gap()?;
            }
            Err(objection) => return Err(FaultError::new(format!("on a quiet machine: {objection}"))),
        }
    }
    Err(FaultError::new(format!(
        "the machine was never quiet; stop what else runs:\n{}",
        objections.join("\n")
    )))
}

impl Checked {
    /// The cause, whatever the verdict.
    pub(crate) fn cause(&self, id: &str) -> Result<&CauseReport> {
        let found = self.report.causes.iter().find(|cause| cause.id == id);
        found.ok_or_else(|| FaultError::new(format!("the report has no cause {id}")))
    }

    /// The cause, which must be confirmed.
    pub(crate) fn confirmed(&self, id: &str) -> Result<&CauseReport> {
        let cause = self.cause(id)?;
        if cause.verdict == Verdict::Confirmed {
            return Ok(cause);
        }
        Err(FaultError::new(format!("{id} is {}: {} {}", cause.verdict.name(), cause.summary, self.found())))
    }

    /// The same, and that something is lost by it now, and that the exit code says so.
    pub(crate) fn breaking(&self, id: &str) -> Result<&CauseReport> {
        let cause = self.confirmed(id)?;
        match (cause.severity, self.exit_code) {
            (Some(Severity::Breaking), 1) => Ok(cause),
            other => Err(FaultError::new(format!("{id} is confirmed with severity and exit code {other:?}"))),
        }
    }

    /// Fails if the cause is confirmed.
    pub(crate) fn not_confirmed(&self, id: &str) -> Result<()> {
        let cause = self.cause(id)?;
        match cause.verdict {
            Verdict::Confirmed => Err(FaultError::new(format!("{id} is confirmed: {}", cause.summary))),
            _ => Ok(()),
        }
    }

    /// Fails unless the cause is ruled out.
    pub(crate) fn ruled_out(&self, id: &str) -> Result<()> {
        let cause = self.cause(id)?;
        match cause.verdict {
            Verdict::RuledOut => Ok(()),
            other => Err(FaultError::new(format!("{id} is {}: {}", other.name(), cause.summary))),
        }
    }

    /// Fails unless the symptom is known to be absent.
    pub(crate) fn absent(&self, id: &str) -> Result<()> {
        let found = self.report.symptoms.iter().find(|symptom| symptom.id == id);
        match found.map(|symptom| (symptom.present, &symptom.summary)) {
            Some((Some(false), _)) => Ok(()),
            other => Err(FaultError::new(format!("{id} present: {other:?}"))),
        }
    }

    /// The symptom, which must be present.
    pub(crate) fn present(&self, id: &str) -> Result<&SymptomReport> {
        let found = self.report.symptoms.iter().find(|symptom| symptom.id == id);
        let symptom = found.ok_or_else(|| FaultError::new(format!("the report has no symptom {id}")))?;
        match symptom.present {
            Some(true) => Ok(symptom),
            other => Err(FaultError::new(format!(
                "{id} present: {other:?} ({}) {}",
                symptom.summary,
                self.found()
            ))),
        }
    }

    /// Fails unless a symptom is present and its differential has a cause with this verdict.
    pub(crate) fn differs(&self, symptom: &str, cause: &str, verdict: Verdict) -> Result<&DifferentialRow> {
        let rows = &self.present(symptom)?.differential;
        let row = rows.iter().find(|row| row.cause == cause);
        match row {
            Some(row) if row.verdict == verdict => Ok(row),
            other => Err(FaultError::new(format!("{cause} for {symptom}: {other:?}"))),
        }
    }

    /// Confirmed causes that are worse than hygiene, as `id severity: summary`.
    pub(crate) fn findings(&self) -> Vec<(&str, String)> {
        let confirmed = self.report.causes.iter().filter(|cause| cause.verdict == Verdict::Confirmed);
        confirmed
            .filter(|cause| cause.severity > Some(Severity::Hygiene))
            .map(|cause| (cause.id.as_str(), format!("{} {:?}: {}", cause.id, cause.severity, cause.summary)))
            .collect()
    }

    /// Fails if anything above hygiene is confirmed, or the exit code is not 0, which is what a twin must be.
    ///
    /// What others on the machine make true is no false alarm, and makes the exit code 1.
    pub(crate) fn clear(&self) -> Result<()> {
        self.nothing_but(&[])?;
        let expected = i32::from(!self.findings().is_empty());
        match self.exit_code {
            code if code == expected => Ok(()),
            code => Err(FaultError::new(format!("exit code {code} instead of {expected}"))),
        }
    }

    /// Fails if anything above hygiene is confirmed but these causes, and what others on the machine make true.
    pub(crate) fn nothing_but(&self, wanted: &[&str]) -> Result<()> {
        let of_others = self.noise.as_ref().map_or(&[][..], Disturbance::true_causes);
        let mut others = self.findings();
        others.retain(|(id, _)| !wanted.contains(id) && !of_others.contains(id));
        match others.is_empty() {
            true => Ok(()),
            false => Err(FaultError::new(format!("exit code {}, found {others:?}", self.exit_code))),
        }
    }

    /// Layers with something unread.
    pub(crate) fn unread_layers(&self) -> Vec<&str> {
        self.report.unread.iter().map(|unread| unread.layer.as_str()).collect()
    }

    fn found(&self) -> String {
        format!("(found: {:?}; unread: {:?})", self.findings(), self.report.unread)
    }
}
