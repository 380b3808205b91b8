//! Workers that have no connection left.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Severity};

use crate::nginx::ErrorKind;
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, per_s};
use crate::nginx::limits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.connections-exhausted",
    title: "Nginx has no connections left",
    explains: &[],
    refutes: &[],
    document: include_str!("connections_exhausted.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Let each worker of Nginx hold more connections",
    moves: "accepts and handled of stub_status grow alike; no “worker_connections are not enough”",
    risk: "each connection takes up to 1 KiB at rest and its buffers while it is served",
};
/// From this share of its connections on a worker is near its limit.
const NEAR: f64 = 0.5;
/// More than this no worker needs; what is open then waits for something else.
const MOST: u64 = 65_536;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

/// What a worker holds at most, of what it may.
struct Held {
    connections: f64,
    seen: Observation,
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    if subject.instance.master.is_none() {
        return Ok((vec![], "Nginx does not run".to_owned()));
    }
    let (configured, _) = limits::worker_connections(subject.configuration());
    let descriptors = limits::descriptors(subject).map(|seen| crate::nginx::findings::number(&seen));
    let limit = (configured as f64).min(descriptors.unwrap_or(f64::INFINITY));
    let lost = lost_per_s(subject);
    let logged = subject.errors(ErrorKind::NoConnections);
    let held = held(subject);
    let times = held.as_ref().map(|held| limit / held.connections.max(1.0));
    let (severity, why) = match (&lost, &logged, times) {
        (Some(lost), ..) if *lost > 0.0 => {
            (Severity::Breaking, format!("({}/s accepted and dropped)", number_text(*lost)))
        }
        (_, Some(logged), _) => (
            Severity::Breaking,
            format!("(the error log says so {} times in the last minutes)", logged.text()),
        ),
        (_, _, Some(times)) if times <= 1.0 / NEAR => {
            let taken = held.as_ref().map_or(0.0, |held| held.connections);
            let near = format!(
                "({} taken in a worker: full at {}× this load)",
                number_text(taken),
                number_text((times * 10.0).round() / 10.0)
            );
            (Severity::Latent, near)
        }
        (None, None, None) if subject.instance.error_logs.iter().all(|log| log.unread.is_some()) => {
            return Err(Missing::new(
                "how many connections are taken",
                "run narrows as root, or let a location on 127.0.0.1 have `stub_status`",
            ));
        }
        _ => {
            let taken = held.map_or_else(String::new, |held| {
                format!("; {} taken in the fullest", number_text(held.connections))
            });
            return Ok((
                vec![],
                format!("no connection was dropped; {} per worker{taken}", number_text(limit)),
            ));
        }
    };
    let finding = at_its_line(subject, severity, why)?;
    let seen = lost.map(|lost| Observation::new("stub_status", "accepts − handled", lost).unit("/s"));
    let seen = seen.into_iter().chain(logged).chain(held.map(|held| held.seen));
    Ok((vec![raised(subject, seen.fold(finding, Finding::seen), limit)], String::new()))
}

fn at_its_line<'a>(subject: &Subject<'a>, severity: Severity, why: String) -> Result<Finding<'a>, Missing> {
    let configuration = subject.configuration();
    let events = limits::events(configuration);
    let none = || Missing::new("the block `events`", "run `nginx -t`: Nginx does not start without one");
    match limits::worker_connections(configuration).1 {
        Some(directive) => Ok(Finding::at(severity, directive, why)),
        None => events
            .map(|events| {
                Finding::without(
                    severity,
                    &events,
                    "worker_connections",
                    format!("{why}; the default is 512"),
                )
            })
            .ok_or_else(none),
    }
}

/// Twice the connections that were not enough, and descriptors for them.
fn raised<'a>(subject: &Subject<'a>, finding: Finding<'a>, limit: f64) -> Finding<'a> {
    let configuration = subject.configuration();
    let wanted = limits::power_of_two(limit * 2.0, 1024, MOST);
    let target = Derived::new(wanted, "power of two ≥ 2 × limit of a worker, at least 1024, at most 65536")
        .input("limit of a worker", number_text(limit), "min(worker_connections, Max open files)");
    let finding = match limits::events(configuration) {
        Some(events) => finding.set(&events, "worker_connections", target),
        None => finding,
    };
    let descriptors = limits::descriptors(subject).map_or(0.0, |seen| crate::nginx::findings::number(&seen));
    let files = wanted * 2;
    match limits::outside(configuration).filter(|_| power(descriptors) < files) {
        Some(outside) => finding.set(
            &outside,
            "worker_rlimit_nofile",
            Derived::new(
                files,
                "2 × worker_connections: a connection and the file or upstream it is served from",
            )
            .input("worker_connections", wanted, "this change"),
        ),
        None => finding,
    }
}

fn power(number: f64) -> u64 {
    limits::power_of_two(number, 1, u64::MAX / 2)
}

/// Connections that were accepted and dropped (`accepts − handled`).
fn lost_per_s(subject: &Subject) -> Option<f64> {
    let (first, last, seconds) = subject.counters().ok()?;
    let dropped = |counters: &crate::nginx::InstanceCounters| {
        let status = counters.stub_status?;
        Some(status.accepts.saturating_sub(status.handled))
    };
    Some(per_s(dropped(last)?.saturating_sub(dropped(first)?), seconds))
}

/// What the fullest worker holds: by its descriptors, or an equal share of the connections of `stub_status` where that is more.
#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn held(subject: &Subject) -> Option<Held> {
    let by_files = limits::most_open(subject).map(|(files, seen)| Held {
        connections: files.saturating_sub(limits::DESCRIPTORS_BESIDE) as f64,
        seen,
    });
    let status = subject.counters().ok().and_then(|(_, last, _)| last.stub_status);
    let by_status = status.map(|status| {
        let upstream = if subject.passes_on() { status.writing } else { 0 };
        let connections = status.active.saturating_add(upstream) as f64 / limits::workers(subject) as f64;
        Held { connections, seen: Observation::new("stub_status", "active", status.active) }
    });
    by_files.into_iter().chain(by_status).max_by(|a, b| a.connections.total_cmp(&b.connections))
}
