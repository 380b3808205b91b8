//! No local port is left towards a destination.

use host::kernel::Listener;
use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::ports::{Range, TIME_WAIT_S, Taken, range, taken};
use crate::sockets::symptoms::SCARCE;
use crate::sockets::{parameters, reserve};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.ephemeral-ports-exhausted",
    title: "Local ports towards a destination are exhausted",
    explains: &["sockets.ports-scarce"],
    refutes: &[],
    document: include_str!("ephemeral_ports_exhausted.md"),
    test,
};

/// From this share on, the next burst meets errno 99: the kernel searches nearly every port for each connection.
const EXHAUSTED: f64 = 0.98;
/// The widest range that leaves the ports below it to services.
const WIDE: (u16, u16) = (10_240, 65_535);

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = taken(evidence)?;
    let range = range(evidence)?;
    let Some(fullest) = all.first() else {
        return Ok(Outcome::ruled_out("this host connects to nothing").seen_all(time_wait_total(evidence)));
    };
    let outcome = if fullest.share() >= EXHAUSTED {
        Outcome::confirmed(
            Severity::Breaking,
            format!("{}; connect() fails at once with errno 99", fullest.line()),
        )
    } else if fullest.share() >= SCARCE {
        let times = number_text((10.0 / fullest.share()).floor() / 10.0);
        Outcome::confirmed(Severity::Latent, format!("{}; exhausted at {times}× this load", fullest.line()))
    } else {
        Outcome::ruled_out(harmless(evidence, fullest))
    };
    let outcome = outcome
        .seen_all(all.iter().take(5).map(Taken::observation))
        .seen_all(ceiling(fullest))
        .seen_all(time_wait_total(evidence));
    if fullest.share() < SCARCE {
        return Ok(outcome);
    }
    Ok(remedies(evidence, fullest, &range).into_iter().fold(outcome, Outcome::remedy))
}

fn harmless(evidence: &Evidence, fullest: &Taken) -> String {
    let facts = evidence.latest(|reading| &reading.sockets).ok();
    match facts.and_then(|facts| facts.sockstat.get("TCP.tw")) {
        Some(time_wait) => {
            format!("{} TIME_WAIT in all, but fullest {}", number_text(count(*time_wait)), fullest.line())
        }
        None => format!("fullest {}", fullest.line()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of sockets")]
fn count(sockets: u64) -> f64 {
    sockets as f64
}

fn time_wait_total(evidence: &Evidence) -> Option<Observation> {
    let facts = evidence.latest(|reading| &reading.sockets).ok()?;
    let total = facts.sockstat.get("TCP.tw").copied()?;
    Some(Observation::new("/proc/net/sockstat", "TCP tw (all destinations, both directions)", total))
}

/// New connections per second that the ports of one destination carry for ever, and how many there are now.
fn ceiling(taken: &Taken) -> [Observation; 2] {
    let sustainable = f64::from(taken.usable) / if taken.reuses { 1.0 } else { TIME_WAIT_S };
    let closed = f64::from(taken.destination.time_wait) / TIME_WAIT_S;
    let formula = if taken.reuses { "ports / 1 s" } else { "ports / 60 s" };
    [
        Observation::new(formula, format!("connections sustainable to {}", taken.name()), sustainable)
            .unit("/s"),
        Observation::new("TIME_WAIT / 60 s", format!("connections closed to {}", taken.name()), closed)
            .unit("/s"),
    ]
}

/// The remedies in the order to try them.
fn remedies(evidence: &Evidence, taken: &Taken, range: &Range) -> Vec<Remedy> {
    let mut all = vec![keep_alive(taken), more_destinations(taken)];
    let waits = f64::from(taken.destination.time_wait) * 2.0 > f64::from(taken.destination.in_range);
    if waits && !taken.reuses {
        all.extend(reuse(evidence, taken));
    }
    all.extend(wider(evidence, taken, range));
    all
}

fn moves(taken: &Taken) -> String {
    format!("ports in use to {} fall below 50 %; errno 99 disappears from the logs", taken.name())
}

fn target(taken: &Taken, value: impl ToString, formula: &str) -> Derived {
    let from = "inet_diag, sockets by destination";
    Derived::new(value, formula)
        .input("taken", number_text(taken.blocked.round()), from)
        .input(
            "ports",
            number_text(f64::from(taken.usable)),
            "ip_local_port_range less ip_local_reserved_ports",
        )
        .input("TIME_WAIT", number_text(f64::from(taken.destination.time_wait)), from)
}

fn keep_alive(taken: &Taken) -> Remedy {
    let rate = f64::from(taken.destination.time_wait) / TIME_WAIT_S;
    let limit = f64::from(taken.usable) / TIME_WAIT_S;
    let most = if taken.share() >= EXHAUSTED { ", all that the ports carry" } else { "" };
    let value = format!(
        "fewer than {} new connections/s (now about {}{most})",
        number_text((limit / 2.0).floor()),
        number_text(rate.round())
    );
    let place = format!("what connects to {}: keep connections open, or pool them", taken.name());
    let formula = "half of ports / 60 s, as a closed connection keeps its port for 60 s";
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target(taken, value, formula))
        .persists_by("its configuration (nginx upstream keepalive, a database pool, HAProxy http-reuse)")
        .restarts("reload of that service")
        .risks("an idle kept connection holds a worker or a database thread");
    Remedy::new(format!("Reuse connections to {}", taken.name()), moves(taken)).change(change)
}

fn more_destinations(taken: &Taken) -> Remedy {
    let wanted = (taken.share() / SCARCE).floor() + 1.0;
    let formula = "least number of destinations that keeps each below 50 % of its ports";
    let place = format!("addresses or ports that {} is reached at, or source addresses", taken.name());
    let change =
        Change::new(ChangeKind::Elsewhere { place }, Some("1".to_owned()), target(taken, wanted, formula))
            .risks("every new address must be allowed by the destination's access rules");
    Remedy::new(format!("Spread connections to {} over {wanted} addresses", taken.name()), moves(taken))
        .change(change)
}

fn reuse(evidence: &Evidence, taken: &Taken) -> Option<Remedy> {
    if parameters::number(evidence, "net.ipv4.tcp_timestamps").ok()? == 0 {
        return None;
    }
    let key = "net.ipv4.tcp_tw_reuse";
    let (value, why, risk) = match taken.is_loopback() {
        true => (2, "the kernel's default: reuse over loopback, where this host is both ends", "none known"),
        false => (
            1,
            "outgoing connections reuse a port in TIME_WAIT after 1 s; ceiling ports / 1 s",
            "not towards an address that is reached through a NAT which other hosts share",
        ),
    };
    let change =
        Change::sysctl(key, evidence.settings.value(key).map(str::to_owned), target(taken, value, why))
            .owned_by(evidence.settings.owner(key))
            .coupled_with("net.ipv4.tcp_timestamps = 1 here and at the destination: without them it is inert")
            .risks(risk);
    let moves = format!("TcpExt.TWRecycled grows; {}", moves(taken));
    Some(Remedy::new("Reuse local ports in TIME_WAIT", moves).change(change))
}

/// A wider range, with every port that is listened on inside it reserved. None when listeners are not known.
fn wider(evidence: &Evidence, taken: &Taken, range: &Range) -> Option<Remedy> {
    if range.low <= WIDE.0 && range.high == WIDE.1 {
        return None;
    }
    let facts = evidence.latest(|reading| &reading.sockets).ok()?;
    let listening = facts.listeners.as_ref()?.iter().filter_map(|listener: &Listener| listener.port);
    let wide = Range { low: WIDE.0, high: WIDE.1, reserved: range.reserved.clone() };
    let ports: Vec<u16> = listening.filter(|port| wide.may_choose(*port)).collect();
    let key = "net.ipv4.ip_local_port_range";
    let value = format!("{} {}", WIDE.0, WIDE.1);
    let change = Change::sysctl(
        key,
        evidence.settings.value(key).map(str::to_owned),
        target(
            taken,
            value,
            "the widest range above the ports of common services; its ends differ in parity",
        ),
    )
    .owned_by(evidence.settings.owner(key))
    .coupled_with("net.ipv4.ip_local_reserved_ports, to be set first")
    .risks("services that are stopped now, and UDP ports, are not in the reserved list: add theirs");
    let remedy = Remedy::new("Widen the range of local ports", moves(taken));
    let remedy = if ports.is_empty() { remedy } else { remedy.change(reserve::change(evidence, &ports)) };
    Some(remedy.change(change))
}
