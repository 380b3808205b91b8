//! A job of PHP may take all CPUs and all memory.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares;
use crate::cron::{Clockwork, Job, jobs};
use crate::{Cause, Evidence, cgroup};

pub(super) static CAUSE: Cause = Cause {
    id: "cron.without-limits",
    title: "A job of PHP runs without any limit on CPU or memory",
    explains: &["cpu.saturated"],
    refutes: &[],
    document: include_str!("without_limits.md"),
    test,
};

/// What yields or bounds a job's CPU time.
const CPU: [&str; 5] = ["CPUQuota", "CPUWeight", "Nice", "CPUSchedulingPolicy", "AllowedCPUs"];
const MEMORY: [&str; 2] = ["MemoryMax", "MemoryHigh"];

/// At this use of all CPUs a request waits about as long as it is served (Erlang's C formula, two CPUs).
const COMFORTABLE: f64 = 0.7;
/// The least that is left to the job, in CPUs: it shall end some day.
const LEAST_QUOTA: f64 = 0.1;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    // Jobs of crontabs share one control group, so that none of them has a limit to itself.
    let timers = |job: &Job| job.clockwork == Clockwork::Timer;
    jobs::of_jobs(evidence, timers, "no timer starts PHP", |job| {
        jobs::its_service(job)?;
        Ok(judge(evidence, job))
    })
}

fn judge(evidence: &Evidence, job: &Job) -> Outcome {
    let unit = job.service.as_ref().map(|service| service.unit.as_str()).unwrap_or_default();
    let find = |keys: &[&str]| keys.iter().find_map(|key| Some(format!("{key}={}", job.setting(key)?)));
    let (cpu, memory) = (find(&CPU), find(&MEMORY));
    let seen = |name: &str, value: &Option<String>| {
        Observation::new(
            job.place(),
            format!("{unit} {name}"),
            value.clone().unwrap_or_else(|| "no limit".to_owned()),
        )
    };
    let observations = [seen("CPU", &cpu), seen("memory", &memory)];
    if let (Some(cpu), Some(memory)) = (&cpu, &memory) {
        return Outcome::ruled_out(format!("{unit} has {cpu} and {memory}")).seen_all(observations);
    }
    let hog = cgroup::hog(evidence).filter(|path| path.rsplit('/').next() == Some(unit) && cpu.is_none());
    let lacks = match (&cpu, &memory) {
        (None, None) => "neither CPU time nor memory",
        (None, Some(_)) => "no CPU time",
        _ => "no memory",
    };
    let (severity, effect) = match hog {
        Some(path) => (Severity::Limiting, format!(", and {path} takes the CPUs that others wait for")),
        None => (Severity::Hygiene, String::new()),
    };
    let line = format!("{unit} limits {lacks}{effect}");
    let remedy = limit(evidence, job, cpu.is_none(), memory.is_none());
    Outcome::confirmed(severity, line).seen_all(observations).remedy(remedy)
}

fn limit(evidence: &Evidence, job: &Job, cpu: bool, memory: bool) -> Remedy {
    let mut settings = vec![];
    let mut formulas = vec![];
    let mut target = Derived::new("", "");
    if cpu {
        settings.extend(["CPUWeight=20".to_owned(), "Nice=10".to_owned()]);
        formulas.push("a fifth of the weight that services have by default");
        if let Some((cpus, busy)) = measured(evidence) {
            let spare = ((COMFORTABLE - busy) * cpus).max(LEAST_QUOTA);
            settings.push(format!("CPUQuota={:.0}%", (spare * 100.0 + 1e-6).floor()));
            formulas.push("⌊max((0.7 − busy) × CPUs, 0.1) × 100⌋ %");
            target = target.input("busy", number_text((busy * 100.0).round() / 100.0), "/proc/stat").input(
                "CPUs",
                number_text(cpus),
                "/proc/stat",
            );
        }
    }
    if let Some(bytes) = memory.then(|| available(evidence)).flatten() {
        settings.push(format!("MemoryMax={}M", (bytes / 2) >> 20));
        formulas.push("half of the memory that is available");
        target = target.input("available", format!("{} MiB", bytes >> 20), "/proc/meminfo MemAvailable");
    }
    target.value = settings.join(" ");
    target.formula = formulas.join("; ");
    let change = jobs::of_service(job, settings, None, target).risks(
        "the job takes longer, and is killed where it needs more memory: see what it used (memory.peak) after a run",
    );
    Remedy::new(format!("Limit {}", job.place()), "cpu.pressure of the web server while the job runs")
        .change(change)
}

/// The CPUs there are, and the share of their time in use.
fn measured(evidence: &Evidence) -> Option<(f64, f64)> {
    let span = evidence.span(|reading| &reading.cpu).ok()?;
    let total = shares::total(&span)?;
    Some((shares::count(span.last)?, total.busy() + total.steal))
}

fn available(evidence: &Evidence) -> Option<u64> {
    evidence.latest(|reading| &reading.memory).ok()?.meminfo.get("MemAvailable").copied()
}
