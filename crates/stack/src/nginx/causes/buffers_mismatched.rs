//! Buffers of requests and of headers that are too small for what passes through them, or taken for nothing.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Directive, size_bytes};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::nginx::{ErrorKind, limits};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.buffers-mismatched",
    title: "Buffers of Nginx do not fit what passes through them",
    explains: &[],
    refutes: &[],
    document: include_str!("buffers_mismatched.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Fit the buffers of Nginx to bodies and headers",
    moves: "no “buffered to a temporary file”, no “too big header”, and memory per slow client in the hundreds of KiB",
    risk: "memory per connection is the sum of its buffers",
};
/// Below this a body of a form goes to a file (default: 16 KiB).
const LEAST_BODY: u64 = 8 << 10;
/// Above this the buffer of every connection's header is mostly empty (default: 1 KiB).
const MOST_HEADER: u64 = 16 << 10;
/// Below this a header with the cookies of a shop does not fit (default: 4 or 8 KiB).
const LEAST_ANSWER_HEADER: u64 = 4 << 10;
const KB: u64 = 1024;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let mut findings = bodies(subject);
    findings.extend(headers(subject));
    for family in ["fastcgi", "proxy"] {
        findings.extend(answers(subject, family));
    }
    Ok((findings, "buffers fit".to_owned()))
}

fn bytes(own: &Directive) -> Option<u64> {
    own.first().and_then(size_bytes)
}

fn bodies<'a>(subject: &Subject<'a>) -> Vec<Finding<'a>> {
    let logged = subject.errors(ErrorKind::BodyToFile);
    let small = subject.setting("client_body_buffer_size").into_iter().filter_map(|(context, own)| {
        let size = bytes(own).filter(|size| *size < LEAST_BODY)?;
        let finding = Finding::at(Severity::Hygiene, own, "(a form of more than that goes through a file)");
        let finding = logged.iter().cloned().fold(finding, Finding::seen);
        let target =
            Derived::new("16k", "16 KiB, the default").input("now", format!("{size} bytes"), &own.place());
        Some(finding.set(&context, "client_body_buffer_size", target))
    });
    small.collect()
}

fn headers<'a>(subject: &Subject<'a>) -> Vec<Finding<'a>> {
    let (connections, _) = limits::worker_connections(subject.configuration());
    let all = connections.saturating_mul(limits::workers(subject));
    let mut findings = Vec::new();
    for (context, own) in subject.setting("client_header_buffer_size") {
        let Some(size) = bytes(own).filter(|size| *size > MOST_HEADER) else { continue };
        let total = size.saturating_mul(all) >> 20;
        let why = format!("(taken for each connection: {total} MiB for {all} of them)");
        let target = Derived::new(
            "1k",
            "1 KiB, the default; longer headers go to large_client_header_buffers",
        )
        .input("connections", all, "workers × worker_connections");
        findings.push(Finding::at(Severity::Hygiene, own, why).set(
            &context,
            "client_header_buffer_size",
            target,
        ));
    }
    for (context, own) in subject.setting("large_client_header_buffers") {
        let Some(size) = own.arguments.get(1).and_then(|text| size_bytes(text)).filter(|size| *size < 4 * KB)
        else {
            continue;
        };
        let target = Derived::new("4 8k", "4 of 8 KiB, the default").input(
            "now",
            format!("{size} bytes"),
            &own.place(),
        );
        let finding =
            Finding::at(Severity::Hygiene, own, "(a line of cookies longer than that is answered with 400)");
        findings.push(finding.set(&context, "large_client_header_buffers", target));
    }
    findings
}

/// Names of the directives of a family, as Nginx knows them.
fn names(family: &str) -> (&'static str, ErrorKind) {
    match family {
        "fastcgi" => ("fastcgi_buffer_size", ErrorKind::HeaderTooBig),
        _ => ("proxy_buffer_size", ErrorKind::HeaderTooBig),
    }
}

fn answers<'a>(subject: &Subject<'a>, family: &str) -> Vec<Finding<'a>> {
    let (header, too_big) = names(family);
    let mut findings = Vec::new();
    let passing = format!("{family}_pass");
    let mut contexts =
        subject.configuration().contexts().into_iter().filter(|context| context.own(&passing).is_some());
    let logged = subject.errors(too_big).filter(|_| family == "fastcgi");
    for (context, own) in subject.setting(header) {
        let Some(size) = bytes(own).filter(|size| *size < LEAST_ANSWER_HEADER) else { continue };
        let target = Derived::new("16k", "16 KiB: the cookies of a shop fit").input(
            "now",
            format!("{size} bytes"),
            &own.place(),
        );
        let finding =
            Finding::at(Severity::Hygiene, own, "(an answer with a longer header is turned into 502)");
        findings.push(finding.set(&context, header, target));
    }
    if let (Some(logged), Some(context)) = (logged, contexts.next()) {
        let why = "(the error log has answers whose header was too big: each was a 502)";
        let finding = match context.get(header) {
            Some(own) => Finding::at(Severity::Breaking, own, why),
            None => Finding::without(Severity::Breaking, &context, header, why),
        };
        let now = context.get(header).and_then(bytes).unwrap_or(4 * KB);
        let wanted = limits::power_of_two(number(now.saturating_mul(4)), 16 * KB, 64 * KB) / KB;
        let target = Derived::new(format!("{wanted}k"), "4 × now, from 16 to 64 KiB").input(
            "now",
            format!("{now} bytes"),
            "the configuration or the default",
        );
        findings.push(finding.seen(logged).set(&context, header, target));
    }
    findings
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn number(bytes: u64) -> f64 {
    bytes as f64
}
