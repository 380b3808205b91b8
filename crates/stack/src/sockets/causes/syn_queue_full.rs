//! The queue of half-open connections is full.

use host::kernel::Listener;
use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::samples::ListenerDepth;
use crate::sockets::{Facts, counters, parameters, queues};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.syn-queue-full",
    title: "The queue of half-open connections is full",
    explains: &["sockets.connections-refused"],
    refutes: &[],
    document: include_str!("syn_queue_full.md"),
    test,
};

const DROPS: &str = "TcpExt.TCPReqQFullDrop";
const COOKIES: &str = "TcpExt.TCPReqQFullDoCookies";
const KEY: &str = "net.ipv4.tcp_syncookies";
/// The value with which every SYN is answered by a cookie, full queue or not (it is for tests).
const ALWAYS: i64 = 2;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let drops = counters::per_second(&span, DROPS)?;
    let cookies = counters::per_second(&span, COOKIES)?;
    let mode = evidence.settings.number(KEY);
    let outcome = if drops > 0.0 {
        let line = format!("{} SYN/s dropped, as no cookie was sent", number_text(drops));
        Outcome::confirmed(Severity::Breaking, line).remedy(turn_on(evidence, drops))
    } else if cookies > 0.0 && mode == Some(ALWAYS) {
        Outcome::ruled_out("tcp_syncookies is 2, so every SYN is answered by a cookie, full queue or not")
    } else if cookies > 0.0 {
        answered(evidence, span.last, cookies)
    } else {
        Outcome::ruled_out("no SYN met a full queue")
    };
    Ok(outcome
        .seen(counters::seen_per_second(DROPS, drops))
        .seen(counters::seen_per_second(COOKIES, cookies))
        .seen_all(parameters::seen(evidence, KEY)))
}

fn answered(evidence: &Evidence, facts: &Facts, cookies: f64) -> Outcome {
    let line = format!("{} SYN/s met a full queue and were answered by cookies", number_text(cookies));
    match half_open(facts) {
        Some((listener, waiting)) => {
            let seen = Observation::new("inet_diag", format!("{} SYN_RECV", listener.local), waiting);
            let line = format!("{line}; {} holds {waiting}", listener.local);
            let outcome = Outcome::confirmed(Severity::Hygiene, line).seen(seen);
            longer(evidence, listener, waiting).into_iter().fold(outcome, Outcome::remedy)
        }
        None => Outcome::confirmed(Severity::Hygiene, line).lacks(Missing::new(
            "which listener it is",
            "watch `ss -tan state syn-recv` by local port while the counter grows",
        )),
    }
}

/// The listener that holds as many half-open connections as its backlog allows.
fn half_open(facts: &Facts) -> Option<(&Listener, u32)> {
    let services = facts.tcp.as_ref()?.services.iter();
    let full = services.filter_map(|service| {
        let mut listeners = facts.listeners.iter().flatten();
        let listener = listeners.find(|listener| listener.port == Some(service.port))?;
        (service.syn_received > 0 && service.syn_received >= listener.backlog?)
            .then_some((listener, service.syn_received))
    });
    full.max_by_key(|(_, waiting)| *waiting)
}

fn longer(evidence: &Evidence, listener: &Listener, waiting: u32) -> Option<Remedy> {
    let wanted = queues::power_of_two(f64::from(waiting) * 2.0);
    let target = Derived::new(wanted, "power of two ≥ 2 × half-open, at most 16384").input(
        "half-open",
        waiting,
        "inet_diag, sockets in SYN_RECV by local port",
    );
    let depth = ListenerDepth {
        family: listener.family,
        local: listener.local.clone(),
        backlog: listener.backlog,
        most: listener.waiting,
        mean: 0.0,
        full_share: 0.0,
        times_full: 0,
    };
    if !queues::may_grow(&depth) {
        return None;
    }
    let mut remedy = queues::longer(evidence, &depth, wanted, target);
    remedy.moves =
        format!("{COOKIES} grows by 0 at the same burst; in a flood it goes on growing, as it should");
    Some(remedy)
}

fn turn_on(evidence: &Evidence, drops: f64) -> Remedy {
    let target = Derived::new(1, "1, the kernel's default: answer by a cookie when the queue is full").input(
        "dropped",
        format!("{}/s", number_text(drops)),
        "/proc/net/netstat TCPReqQFullDrop",
    );
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("connections made by cookie have no window scaling unless both ends use timestamps");
    Remedy::new("Answer by SYN cookies when the queue is full", format!("{DROPS} grows by 0"))
        .lowers(&format!("{DROPS}/s"))
        .change(change)
}
