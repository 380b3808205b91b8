//! More or fewer workers than CPUs.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Severity};

use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::nginx::limits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.workers-mismatch",
    title: "Nginx has more or fewer workers than CPUs",
    explains: &[],
    refutes: &[],
    document: include_str!("workers_mismatch.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Give Nginx as many workers as CPUs",
    moves: "the busiest worker's share of a CPU falls below 70 %",
    risk: "each worker has connections, caches of open files and keepalive connections of its own",
};
/// From this share of a CPU on a worker is busy.
const BUSY: f64 = 0.7;
/// From this share on it is the limit.
const FULL: f64 = 0.95;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small counts"
)]
fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let configuration = subject.configuration();
    let (cpus, seen) = limits::cpus(subject)?;
    let whole = cpus.ceil().max(1.0) as u64;
    let workers = limits::workers(subject);
    let busiest = limits::shares(subject).ok().and_then(|shares| shares.into_iter().next());
    let share = busiest.map_or(0.0, |(share, _)| share);
    let percent = number_text((share * 100.0).round());
    let of_cpus = format!("{workers} for {} that it may use", crate::wording::cpus(cpus));
    let (severity, why) = match () {
        () if workers < whole && share >= FULL => {
            (Severity::Limiting, format!("({of_cpus}; the busiest takes {percent} % of one)"))
        }
        () if workers < whole && share >= BUSY => (
            Severity::Latent,
            format!("({of_cpus}; full at {}× this load)", number_text((10.0 / share).round() / 10.0)),
        ),
        () if workers == 1 && whole > 1 => {
            (Severity::Hygiene, format!("({of_cpus}: a read from a slow disk holds everyone up)"))
        }
        () if workers as f64 > 2.0 * cpus.ceil() && workers > 2 => {
            (Severity::Hygiene, format!("({of_cpus}: they take turns and keep connections apart)"))
        }
        () => return Ok((vec![], format!("{of_cpus}; the busiest takes {percent} % of one"))),
    };
    let Some(outside) = limits::outside(configuration) else {
        return Err(Missing::new("the configuration", "run `nginx -t`"));
    };
    let finding = match configuration.main("worker_processes") {
        Some(directive) => Finding::at(severity, directive, why),
        None => Finding::without(severity, &outside, "worker_processes", format!("{why}; the default is 1")),
    };
    let host = subject.evidence.host.cpus.map_or(whole, u64::from);
    let target = match host == whole {
        true => Derived::new("auto", "auto = CPUs online").input("CPUs", host, "/proc/stat"),
        false => Derived::new(whole, "the CPUs that it may use, rounded up; `auto` would count all")
            .input("CPUs", host, "/proc/stat")
            .input("CPUs that it may use", number_text(cpus), &seen.source),
    };
    let finding = finding.seen(seen).set(&outside, "worker_processes", target);
    let busy = busiest.map(|(share, pid)| {
        Observation::new(format!("/proc/{pid}/stat"), "CPU time", share * 100.0).unit("% of a CPU")
    });
    Ok((vec![busy.into_iter().fold(finding, Finding::seen)], String::new()))
}
