//! Access logs that are written line by line.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Context, Directive};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, number};
use crate::nginx::limits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.logs-unbuffered",
    title: "Nginx writes its access log line by line",
    explains: &[],
    refutes: &[],
    document: include_str!("logs_unbuffered.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Write the access log in blocks",
    moves: "one write(2) for many requests, and no open(2) for a line",
    risk: "the last lines are up to `flush` seconds late, and lost if a worker is killed",
};
/// Below so many requests per second a write for each costs nothing that could be measured.
const LEAST_PER_S: f64 = 50.0;
/// From so many on, with busy workers, the writes take their share of the workers' time.
const MANY_PER_S: f64 = 1000.0;
/// From this share of a CPU on a worker is busy.
const BUSY: f64 = 0.7;
/// Bytes of a line of the format `combined`.
const LINE_BYTES: f64 = 250.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn is_file(log: &Directive) -> bool {
    log.first()
        .is_some_and(|path| path != "off" && !path.starts_with("syslog:") && !path.starts_with("/dev/"))
}

fn unbuffered(log: &Directive) -> bool {
    is_file(log) && log.parameter("buffer").is_none() && log.parameter("gzip").is_none() && !log.has("gzip")
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let rate = subject.requests_per_s();
    let per_s = rate.as_ref().ok().map(number);
    let logs = subject.setting("access_log").into_iter().filter(|(_, log)| unbuffered(log));
    let logs: Vec<_> = logs.collect();
    if logs.is_empty() {
        return Ok((vec![], "access logs are buffered, off, or no files".to_owned()));
    }
    if let Some(per_s) = per_s.filter(|per_s| *per_s < LEAST_PER_S) {
        let line =
            format!("unbuffered at {} requests/s: a write for each costs nothing there", number_text(per_s));
        return Ok((vec![], line));
    }
    let busy = limits::shares(subject).is_ok_and(|shares| shares.iter().any(|(share, _)| *share >= BUSY));
    let severity = if busy && per_s.is_some_and(|per_s| per_s >= MANY_PER_S) {
        Severity::Latent
    } else {
        Severity::Hygiene
    };
    let findings = logs.into_iter().map(|(context, log)| {
        let opened = log.first().is_some_and(|path| path.contains('$'))
            && context.get("open_log_file_cache").is_none();
        let why = match (opened, per_s) {
            (true, _) => "(a path with variables: the file is opened for each request)".to_owned(),
            (false, Some(per_s)) => format!("({} writes per second)", number_text(per_s)),
            (false, None) => "(a write for each request)".to_owned(),
        };
        let finding = wanted(Finding::at(severity, log, why), &context, log, per_s);
        match &rate {
            Ok(seen) => finding.seen(seen.clone()),
            Err(missing) => finding.lacks(missing.clone()),
        }
    });
    Ok((findings.collect(), String::new()))
}

/// A buffer that holds the lines of a second, as a path without variables allows; a cache of open files otherwise.
fn wanted<'a>(
    finding: Finding<'a>,
    context: &Context<'a>,
    log: &'a Directive,
    per_s: Option<f64>,
) -> Finding<'a> {
    let Some(path) = log.first() else { return finding };
    if path.contains('$') {
        let target =
            Derived::new("max=100 inactive=60s", "100 files that stay open, looked at again each minute");
        return finding.set(context, "open_log_file_cache", target);
    }
    let bytes = limits::power_of_two(per_s.unwrap_or(100.0) * LINE_BYTES, 32 << 10, 1 << 20);
    let format = log.arguments.get(1).filter(|one| !one.contains('=')).map_or("combined", String::as_str);
    let others: Vec<_> = log.arguments.iter().skip(2).map(|one| conf::nginx_word(one)).collect();
    let value =
        format!("{} {format} {} buffer={}k flush=5s", conf::nginx_word(path), others.join(" "), bytes >> 10);
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    let target = Derived::new(
        value,
        "buffer = power of two ≥ requests/s × 250 bytes, from 32 KiB to 1 MiB; flush each 5 s",
    )
    .input(
        "requests/s",
        per_s.map_or_else(|| "100, as it is not known".to_owned(), number_text),
        "stub_status or the log",
    );
    finding.set(context, "access_log", target)
}
