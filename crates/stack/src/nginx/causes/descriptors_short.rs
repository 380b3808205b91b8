//! Workers that may open fewer files than connections.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::ErrorKind;
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, number};
use crate::nginx::limits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.descriptors-short",
    title: "Nginx may open fewer files than it has connections",
    explains: &[],
    refutes: &[],
    document: include_str!("descriptors_short.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Let each worker of Nginx open two files per connection",
    moves: "Max open files of /proc/PID/limits ≥ 2 × worker_connections; no “Too many open files”",
    risk: "none: it is only an upper limit; fs.nr_open and the unit's LimitNOFILE bound it for a master without root's rights",
};
/// From this share of its descriptors on a worker is near its limit.
const NEAR: f64 = 0.5;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

#[expect(clippy::cast_precision_loss, reason = "counts of descriptors")]
fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let configuration = subject.configuration();
    let (connections, _) = limits::worker_connections(configuration);
    let limit = limits::descriptors(subject).ok_or_else(|| {
        Missing::new(
            "Max open files of a worker",
            "start Nginx, or set `worker_rlimit_nofile`, and read the host again",
        )
    })?;
    let files = number(&limit);
    let logged = subject.errors(ErrorKind::NoDescriptors);
    let open = limits::most_open(subject);
    let times = open.as_ref().map(|(open, _)| files / (*open).max(1) as f64);
    let (severity, why) = match (&logged, times) {
        (Some(logged), _) => (
            Severity::Breaking,
            format!("(“Too many open files” {} times in the last minutes)", logged.text()),
        ),
        (None, Some(times)) if times <= 1.0 / NEAR => (
            Severity::Latent,
            format!(
                "(a worker has {} open: none is left at {}× this load)",
                open.as_ref().map_or(0, |(open, _)| *open),
                number_text((times * 10.0).round() / 10.0)
            ),
        ),
        _ if files < connections as f64 => {
            (Severity::Hygiene, format!("(a worker may hold {connections} connections)"))
        }
        _ => {
            return Ok((
                vec![],
                format!("a worker may open {} files for {connections} connections", number_text(files)),
            ));
        }
    };
    let Some(outside) = limits::outside(configuration) else {
        return Err(Missing::new("the configuration", "run `nginx -t`"));
    };
    let finding = match configuration.main("worker_rlimit_nofile") {
        Some(directive) => Finding::at(severity, directive, why),
        None => Finding::without(
            severity,
            &outside,
            "worker_rlimit_nofile",
            format!("{why}; workers may open {} files", number_text(files)),
        ),
    };
    let wanted = connections.saturating_mul(2).max(limits::power_of_two(
        open.as_ref().map_or(0, |(open, _)| *open) as f64 * 2.0,
        1,
        1 << 20,
    ));
    let target =
        Derived::new(wanted, "max(2 × worker_connections, power of two ≥ 2 × files open in a worker)")
            .input("worker_connections", connections, "the configuration")
            .input("files open in a worker", open.as_ref().map_or(0, |(open, _)| *open), "/proc/PID/fd");
    let finding = finding.seen(limit).set(&outside, "worker_rlimit_nofile", target);
    let seen = logged.into_iter().chain(open.map(|(_, seen)| seen));
    Ok((vec![seen.fold(finding, Finding::seen)], String::new()))
}
