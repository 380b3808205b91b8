//! Shared zones that are too small, too large, or used by nobody.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Directive, size_bytes, time_s};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, per_s};
use crate::nginx::limits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.zones-mismatched",
    title: "Shared zones of Nginx do not fit",
    explains: &[],
    refutes: &[],
    document: include_str!("zones_mismatched.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Fit the shared zones of Nginx to the clients they hold",
    moves: "sessions are found again, and no client is turned away for want of a place in a zone",
    risk: "a zone keeps its size until it gets another name or Nginx restarts",
};
/// States of `limit_req` and `limit_conn` in a megabyte on 64 bits (their documentation).
const STATES_PER_MB: u64 = 8000;
/// Sessions in a megabyte (`ssl_session_cache`, its documentation).
const SESSIONS_PER_MB: f64 = 4000.0;
/// Below this, in bytes, a zone of clients is a few thousand at most.
const LEAST: u64 = 1 << 20;
/// Above this a zone of clients holds a million.
const MOST: u64 = 128 << 20;
/// One client's page asks for more files at once than this rate lets through in a second.
const PAGE_PER_S: u64 = 10;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let mut findings = clients(subject);
    findings.extend(sessions(subject));
    findings.extend(bursts(subject));
    Ok((findings, "zones fit, or there are none".to_owned()))
}

/// `name:size` of a zone.
fn zone(directive: &Directive) -> Option<(&str, u64)> {
    let (name, size) = directive.parameter("zone")?.split_once(':')?;
    Some((name, size_bytes(size)?))
}

fn clients<'a>(subject: &Subject<'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    for (kind, user) in [("limit_req_zone", "limit_req"), ("limit_conn_zone", "limit_conn")] {
        let users = subject.setting(user);
        for (context, own) in subject.configuration().contexts().into_iter().flat_map(|context| {
            context.all(kind).into_iter().map(|own| (context.clone(), own)).collect::<Vec<_>>()
        }) {
            let stands_here = context.home(own).all_blocks().len() == context.all_blocks().len();
            let Some((name, size)) = zone(own).filter(|_| stands_here) else { continue };
            let used =
                users.iter().any(|(_, one)| one.parameter("zone") == Some(name) || one.first() == Some(name));
            let states = size.saturating_mul(STATES_PER_MB) >> 20;
            let why = match () {
                () if !used => format!("(no {user} uses it)"),
                () if size < LEAST => {
                    format!("(places for {states} clients; others are turned away or forgotten)")
                }
                () if size > MOST => format!("(places for {states} clients)"),
                () => continue,
            };
            let finding = Finding::at(Severity::Hygiene, own, why);
            let target = Derived::new(format!("{name}:10m"), "10 MiB: places for 80,000 clients").input(
                "states in a MiB",
                STATES_PER_MB,
                "documentation of limit_req_zone",
            );
            findings.push(match used {
                true => finding.parameter(&context, own, (kind, "zone"), target),
                false => finding.remove(&context, own, kind, Derived::new("", "no directive uses it")),
            });
        }
    }
    findings
}

fn sessions<'a>(subject: &Subject<'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    for (context, own) in subject.setting("ssl_session_cache") {
        let Some((at, name, size)) = shared(own) else { continue };
        let kept_s =
            context.get("ssl_session_timeout").and_then(Directive::first).and_then(time_s).unwrap_or(300.0);
        let arrivals = accepts_per_s(subject);
        let needed = arrivals.map(|arrivals| arrivals * kept_s);
        #[expect(clippy::cast_precision_loss, reason = "bytes of a zone")]
        let places = size as f64 / 1_048_576.0 * SESSIONS_PER_MB;
        let why = match needed {
            Some(needed) if needed > places => format!(
                "(places for {} sessions; {} come within their {} s)",
                number_text(places.floor()),
                number_text(needed.round()),
                number_text(kept_s)
            ),
            _ if size < LEAST => format!("(places for {} sessions)", number_text(places.floor())),
            _ if size > MOST => format!("(places for {} sessions)", number_text(places.floor())),
            _ => continue,
        };
        let wanted = limits::power_of_two(needed.unwrap_or(0.0) / SESSIONS_PER_MB, 8, 128);
        let target = Derived::new(
            format!("shared:{name}:{wanted}m"),
            "power of two ≥ connections/s × ssl_session_timeout / 4000, from 8 to 128 MiB",
        )
        .input(
            "connections/s",
            arrivals.map_or_else(|| "not known".to_owned(), number_text),
            "stub_status accepts",
        )
        .input("ssl_session_timeout", format!("{} s", number_text(kept_s)), "the configuration");
        let others =
            own.arguments.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, one)| one.as_str());
        let value = std::iter::once(target.value.as_str()).chain(others).collect::<Vec<_>>().join(" ");
        let finding = Finding::at(Severity::Hygiene, own, why);
        findings.push(finding.set(&context, "ssl_session_cache", Derived { value, ..target }));
    }
    findings
}

/// The shared zone of a session cache: which argument, its name and its size.
fn shared(own: &Directive) -> Option<(usize, &str, u64)> {
    own.arguments.iter().enumerate().find_map(|(at, argument)| {
        let (name, size) = argument.strip_prefix("shared:")?.split_once(':')?;
        Some((at, name, size_bytes(size)?))
    })
}

fn accepts_per_s(subject: &Subject) -> Option<f64> {
    let (first, last, seconds) = subject.counters().ok()?;
    Some(per_s(last.stub_status?.accepts.checked_sub(first.stub_status?.accepts)?, seconds))
}

/// A limit for whole servers that lets less through at once than one page asks for.
fn bursts<'a>(subject: &Subject<'a>) -> Vec<Finding<'a>> {
    let zones = subject.setting("limit_req_zone");
    let mut findings = Vec::new();
    for (context, own) in subject.setting("limit_req") {
        let of_all = context.block().is_some_and(|block| block.name != "location" || block.value() == "/");
        let name = own.parameter("zone");
        let rate = zones
            .iter()
            .find(|(_, one)| zone(one).map(|(name, _)| name) == name)
            .and_then(|(_, one)| one.parameter("rate"));
        let rate = rate.and_then(|rate| rate.strip_suffix("r/s")?.parse::<u64>().ok());
        let burst = own.parameter("burst").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let Some(rate) = rate.filter(|rate| of_all && rate.saturating_add(burst) < PAGE_PER_S) else {
            continue;
        };
        let why =
            format!("({rate} requests/s and {burst} at once: the files of one page are answered with 503)");
        let target =
            Derived::new(50, "50: the files of a page").input("rate", format!("{rate}/s"), "limit_req_zone");
        findings.push(Finding::at(Severity::Hygiene, own, why).parameter(
            &context,
            own,
            ("limit_req", "burst"),
            target,
        ));
    }
    findings
}
