//! TLS connections that begin with a full handshake each time.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Context, Directive};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.tls-sessions-off",
    title: "TLS sessions are not resumed",
    explains: &[],
    refutes: &[],
    document: include_str!("tls_sessions_off.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Let returning clients resume their TLS session",
    moves: "`openssl s_client -reconnect` says Reused; CPU time of workers per connection falls",
    risk: "none known: sessions are kept in memory of Nginx for 5 minutes",
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn speaks_tls(server: &Context) -> bool {
    let Some(block) = server.block() else { return false };
    let listens =
        block.children().iter().any(|one| one.name == "listen" && (one.has("ssl") || one.has("quic")));
    listens || server.own("ssl").is_some_and(|own| own.has("on"))
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let servers = subject.configuration().blocks(&["server"]);
    let with_tls: Vec<_> = servers.into_iter().filter(speaks_tls).collect();
    if with_tls.is_empty() {
        return Ok((vec![], "it speaks no TLS".to_owned()));
    }
    let mut findings: Vec<Finding<'a>> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for server in &with_tls {
        let cache = server.get("ssl_session_cache");
        let shared = cache.is_some_and(|own| own.arguments.iter().any(|one| one.starts_with("shared:")));
        let tickets_off = server.get("ssl_session_tickets").filter(|own| own.has("off"));
        let (false, Some(tickets)) = (shared, tickets_off) else { continue };
        let at = cache.unwrap_or(tickets).place();
        if seen.contains(&at) {
            continue;
        }
        seen.push(at);
        findings.push(finding(server, cache, tickets));
    }
    Ok((findings, "sessions are resumed, by a shared cache or by tickets".to_owned()))
}

fn finding<'a>(server: &Context<'a>, cache: Option<&'a Directive>, tickets: &'a Directive) -> Finding<'a> {
    let (found, home) = match cache {
        Some(own) if own.has("builtin") || own.value().starts_with("builtin") => (
            Finding::at(
                Severity::Hygiene,
                own,
                "(a cache for each worker; the next connection meets another worker)",
            ),
            server.home(own),
        ),
        Some(own) => (
            Finding::at(
                Severity::Hygiene,
                own,
                "(and no tickets: every connection begins with a full handshake)",
            ),
            server.home(own),
        ),
        None => (
            Finding::at(
                Severity::Hygiene,
                tickets,
                "(and no ssl_session_cache: every connection begins with a full handshake)",
            ),
            server.home(tickets),
        ),
    };
    found.set(
        &home,
        "ssl_session_cache",
        Derived::new("shared:SSL:10m", "10 MiB: 40,000 sessions, for all workers"),
    )
}
