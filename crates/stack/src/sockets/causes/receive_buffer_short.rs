//! Data that arrived and was thrown away for want of room in the receive buffer.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::{Facts, counters, parameters, transport};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.receive-buffer-short",
    title: "Receive buffers overflow",
    explains: &[],
    refutes: &[],
    document: include_str!("receive_buffer_short.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_rmem";
/// The kernel's own largest receive buffer on hosts with enough memory (ip-sysctl.rst).
const DEFAULT_MAX: u64 = 6_291_456;
/// Below this rate a pruned queue is an incident, not a limit.
const HIGH_PER_S: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let dropped = counters::per_second(&span, "TcpExt.RcvPruned")?;
    let pruned = counters::per_second(&span, "TcpExt.PruneCalled")?;
    let collapsed = counters::per_second(&span, "TcpExt.TCPRcvCollapsed")?;
    let seen = [
        counters::seen_per_second("TcpExt.RcvPruned", dropped),
        counters::seen_per_second("TcpExt.PruneCalled", pruned),
        counters::seen_per_second("TcpExt.TCPRcvCollapsed", collapsed),
    ];
    let outcome = if dropped >= HIGH_PER_S {
        let summary = format!("{} segments/s were dropped from full receive buffers", number_text(dropped));
        Outcome::confirmed(Severity::Limiting, summary).remedy(remedy(evidence, dropped))
    } else if pruned >= HIGH_PER_S || dropped > 0.0 {
        let summary = format!(
            "full receive buffers were tidied {} times/s, next to nothing dropped",
            number_text(pruned)
        );
        Outcome::consistent(Severity::Hygiene, summary).lacks(Missing::new(
            "whether the process reads too slowly",
            "look at Recv-Q and rb in `ss -tm`: a queue that stays full is the process's, not the buffer's",
        ))
    } else {
        Outcome::ruled_out(nothing_lost(&span))
    };
    let limits = parameters::seen(evidence, KEY);
    Ok(outcome.seen_all(seen).seen_all(limits))
}

/// Time limited by a receive window is the peer's: this host sent, and the other side had no room.
fn nothing_lost(span: &Span<Facts>) -> String {
    let peers = transport::work(span).map(|work| work.share(work.receive_window_limited_us));
    match peers {
        Ok(share) if share > 0.05 => {
            format!(
                "nothing dropped here; peers' windows hold back {} % of sending",
                transport::percent(share)
            )
        }
        _ => "no receive buffer overflowed".to_owned(),
    }
}

fn remedy(evidence: &Evidence, dropped: f64) -> Remedy {
    let moves = "RcvPruned stops growing";
    let seen = Observation::new("/proc/net/netstat", "TcpExt.RcvPruned", dropped).unit("/s").text();
    let limits = evidence.settings.numbers(KEY);
    if let Some([least, default, largest]) =
        limits.as_deref().filter(|limits| limits.len() == 3).and_then(first_three)
        && largest < DEFAULT_MAX
    {
        let target = Derived::new(format!("{least} {default} {DEFAULT_MAX}"), "max = the kernel's own 6 MiB")
            .input("max", largest, &format!("/proc/sys {KEY}"))
            .input("dropped", seen, "/proc/net/netstat RcvPruned");
        let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
            .owned_by(evidence.settings.owner(KEY))
            .coupled_with("net.core.rmem_max stays: it bounds SO_RCVBUF and takes no part in autotuning")
            .risks("each process that reads slowly can hold this much kernel memory");
        return Remedy::new("Let receive buffers grow as far as the kernel would", moves).change(change);
    }
    let target = Derived::new(
        "read faster, or take SO_RCVBUF out",
        "buffers that may grow to 6 MiB overflow when nobody reads",
    )
    .input("dropped", seen, "/proc/net/netstat RcvPruned");
    let place = "the process whose Recv-Q is full in `ss -tm`".to_owned();
    Remedy::new("Find the process that does not read", moves).change(
        Change::new(ChangeKind::Elsewhere { place }, None, target)
            .risks("a larger buffer would only fill later"),
    )
}

fn first_three(limits: &[u64]) -> Option<[u64; 3]> {
    limits.try_into().ok()
}
