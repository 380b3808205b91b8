//! TCP Fast Open that is switched on and that nobody uses.

use model::observation::number_text;
use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::sockets::{counters, parameters};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.fastopen-without-listener",
    title: "TCP Fast Open is on for servers and nobody uses it",
    explains: &[],
    refutes: &[],
    document: include_str!("fastopen_without_listener.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_fastopen";
/// The bit that lets listeners take part.
const SERVER: i64 = 2;
/// The bits that make every listener take part, whether it asked or not (ip-sysctl.rst).
const EVERY_LISTENER: i64 = 0x400;
const PASSIVE: &str = "TcpExt.TCPFastOpenPassive";
const ASKED: &str = "TcpExt.TCPFastOpenCookieReqd";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let bits = parameters::number(evidence, KEY)?;
    if bits & SERVER == 0 {
        return Ok(Outcome::ruled_out(format!("{KEY} is {bits}: off for servers")));
    }
    let span = evidence.span(|reading| &reading.sockets)?;
    let taken = counters::per_second(&span, PASSIVE)?;
    let asked = counters::per_second(&span, ASKED).unwrap_or(0.0);
    let ever = span.last.counters.get(PASSIVE).copied().unwrap_or(0);
    let seen = [counters::seen_per_second(PASSIVE, taken), counters::seen_per_second(ASKED, asked)];
    let outcome = if taken > 0.0 || asked > 0.0 {
        let summary = format!("{} connections/s came with data in their SYN", number_text(taken));
        Outcome::ruled_out(summary)
    } else if ever > 0 {
        let summary = format!("{ever} connections with data in their SYN since boot, none in the window");
        Outcome::consistent(Severity::Folklore, summary).lacks(Missing::new(
            "a window in which its clients are active",
            "read again while the clients that use TCP Fast Open send requests",
        ))
    } else {
        let summary = format!("{KEY} is {bits}, yet no connection since boot came with data in its SYN");
        Outcome::confirmed(Severity::Folklore, summary).remedy(remedy(evidence, bits))
    };
    Ok(outcome.seen_all(seen).seen_all(parameters::seen(evidence, KEY)))
}

fn remedy(evidence: &Evidence, bits: i64) -> Remedy {
    let target = Derived::new(
        bits & !(SERVER | EVERY_LISTENER),
        "the value without the bits for listeners (2 and 0x400)",
    )
    .input("now", bits, &format!("/proc/sys {KEY}"))
    .input("connections with data in their SYN", 0, "/proc/net/netstat TCPFastOpenPassive");
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .coupled_with(
            "for clients of your own keep it, and give the listener its queue: nginx `listen … fastopen=256`",
        )
        .risks("none: nothing used it");
    Remedy::new("Switch TCP Fast Open off for listeners", "nothing changes: that is the point").change(change)
}
