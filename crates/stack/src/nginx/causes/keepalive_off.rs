//! Connections that are closed after a few requests.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Severity};

use crate::nginx::configuration::{Directive, time_s};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, per_s};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.keepalive-off",
    title: "Nginx closes connections after a request or a few",
    explains: &[],
    refutes: &[],
    document: include_str!("keepalive_off.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Keep connections of clients open for the next request",
    moves: "accepts per request of stub_status falls; TcpExt.TW grows more slowly",
    risk: "idle connections take a place of worker_connections each",
};
/// A page with its parts is asked for within this time, in seconds.
const LEAST_S: f64 = 5.0;
/// Files of a page: fewer requests a connection cut a page in two.
const LEAST_REQUESTS: u64 = 100;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let mut findings = Vec::new();
    for (context, own) in subject.setting("keepalive_timeout") {
        let seconds = own.first().and_then(time_s).unwrap_or(75.0);
        if seconds >= LEAST_S || !is_of_clients(&context) {
            continue;
        }
        let why = if seconds == 0.0 {
            "(each request needs a new connection)"
        } else {
            "(shorter than a page takes to load)"
        };
        let target = Derived::new("65s", "65 s: longer than the 60 s after which browsers ask again").input(
            "now",
            format!("{} s", number_text(seconds)),
            &own.place(),
        );
        findings.push(Finding::at(Severity::Hygiene, own, why).set(&context, "keepalive_timeout", target));
    }
    for (context, own) in subject.setting("keepalive_requests") {
        let requests = own.first().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1000);
        if requests >= LEAST_REQUESTS || !is_of_clients(&context) {
            continue;
        }
        let target =
            Derived::new(1000, "1000, the default since 1.19.10").input("now", requests, &own.place());
        let finding =
            Finding::at(Severity::Hygiene, own, "(fewer than the files of a page: it is cut in two)");
        findings.push(finding.set(&context, "keepalive_requests", target));
    }
    let measured = per_request(subject);
    let findings = match measured {
        Some(per_request) => {
            let seen = || Observation::new("stub_status", "accepts per request", per_request);
            findings.into_iter().map(|finding| finding.seen(seen())).collect()
        }
        None => findings,
    };
    let kept = measured.map_or_else(String::new, |per_request| {
        format!("; {} connections per request", number_text(per_request))
    });
    Ok((findings, format!("connections are kept{kept}")))
}

/// Upstreams have directives of the same names, which mean connections to them.
fn is_of_clients(context: &crate::nginx::Context) -> bool {
    context.block().is_none_or(|block: &Directive| block.name != "upstream")
}

fn per_request(subject: &Subject) -> Option<f64> {
    let (first, last, seconds) = subject.counters().ok()?;
    let (first, last) = (first.stub_status?, last.stub_status?);
    let requests = last.requests.checked_sub(first.requests).filter(|requests| *requests > 0)?;
    Some(per_s(last.accepts.checked_sub(first.accepts)?, seconds) / per_s(requests, seconds))
}
