//! The range of local ports covers ports of services.

use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::DEFAULT_PORT_RANGE;
use crate::sockets::ports::{Range, range};
use crate::sockets::reserve;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.port-range-over-services",
    title: "The range of local ports covers ports of services",
    explains: &[],
    refutes: &[],
    document: include_str!("port_range_over_services.md"),
    test,
};

const KEY: &str = "net.ipv4.ip_local_port_range";
/// Ports below this are left to services by the widest range that narrows proposes.
const SERVICES_BELOW: u16 = 10_240;
/// Ports named in a summary.
const NAMED: usize = 6;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let range = range(evidence)?;
    let facts = evidence.latest(|reading| &reading.sockets)?;
    let listeners = facts.listeners.as_ref().ok_or_else(|| {
        let what = "listening ports";
        facts.listeners_unread.as_ref().map_or_else(
            || Missing::new(what, "read the host itself: they come from sock_diag"),
            |unread| unread.missing(what),
        )
    })?;
    let mut ports: Vec<u16> = listeners.iter().filter_map(|listener| listener.port).collect();
    ports.retain(|port| range.may_choose(*port));
    ports.sort_unstable();
    ports.dedup();
    let bounds = format!("{}–{}", range.low, range.high);
    let outcome = if range.low >= DEFAULT_PORT_RANGE.0 {
        within_default(evidence, &ports, &bounds)
    } else if !ports.is_empty() {
        let line = format!("{bounds} covers listening {}: a restart may find them taken", named(&ports));
        Outcome::confirmed(Severity::Latent, line).remedy(remedy(evidence, &range, &ports))
    } else if range.low < SERVICES_BELOW && range.reserved.is_empty() {
        Outcome::consistent(
            Severity::Hygiene,
            format!("{bounds} reserves nothing; no service listens in it now"),
        )
        .lacks(Missing::new(
            "ports of services that are stopped now",
            "compare the range with their configuration",
        ))
        .remedy(remedy(evidence, &range, &ports))
    } else {
        Outcome::ruled_out(format!("{bounds} covers no listening port that is not reserved"))
    };
    let reserved = evidence.settings.value("net.ipv4.ip_local_reserved_ports").unwrap_or_default();
    Ok(outcome
        .seen(Observation::new("/proc/sys", KEY, bounds))
        .seen(Observation::new("/proc/sys", "net.ipv4.ip_local_reserved_ports", reserved))
        .seen(Observation::new("inet_diag", "listening inside the range, not reserved", named(&ports))))
}

/// In the kernel's own range a listening port may be one that the kernel itself gave to the service.
fn within_default(evidence: &Evidence, ports: &[u16], bounds: &str) -> Outcome {
    if ports.is_empty() {
        return Outcome::ruled_out(format!("{bounds} covers no listening port that is not reserved"));
    }
    let why = Missing::new(
        "whether these ports are fixed in a configuration or were chosen by the kernel",
        "reserve those that are fixed; rpc services take another one at every start",
    );
    Outcome::consistent(Severity::Hygiene, format!("{bounds} covers listening {}", named(ports)))
        .lacks(why)
        .remedy(reserving(evidence, ports))
}

fn named(ports: &[u16]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    let mut text: Vec<_> = ports.iter().take(NAMED).map(u16::to_string).collect();
    text.extend((ports.len() > NAMED).then(|| format!("{} more", ports.len() - NAMED)));
    text.join(", ")
}

fn reserving(evidence: &Evidence, ports: &[u16]) -> Remedy {
    let moves = "no service fails with EADDRINUSE (errno 98) when it starts";
    Remedy::new("Reserve the ports of services", moves).change(reserve::change(evidence, ports))
}

fn remedy(evidence: &Evidence, range: &Range, ports: &[u16]) -> Remedy {
    let remedy = match ports {
        [] => Remedy::new(
            "Begin the range above the ports of services",
            "no service fails with errno 98 at start",
        ),
        ports => reserving(evidence, ports),
    };
    if range.low >= SERVICES_BELOW {
        return remedy;
    }
    let target = Derived::new(
        format!("{SERVICES_BELOW} {}", range.high.max(SERVICES_BELOW + 1)),
        "low end above the ports of common services, even where the high end is odd",
    )
    .input("low", range.low, KEY)
    .input("high", range.high, KEY);
    remedy.change(
        Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
            .owned_by(evidence.settings.owner(KEY))
            .coupled_with("net.ipv4.ip_local_reserved_ports, to be set first")
            .risks("connections that are open keep their ports; only new ones follow"),
    )
}
