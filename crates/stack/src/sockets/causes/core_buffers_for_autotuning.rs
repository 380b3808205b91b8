//! `net.core.rmem_max` raised for TCP, whose autotuning does not ask for it.

use model::observation::number_text;
use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::remedies::together;
use crate::settings::edits;
use crate::settings::lines::is_vendors;
use crate::sockets::{counters, parameters, transport};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.core-buffers-for-autotuning",
    title: "Buffer limits were raised that TCP's autotuning does not use",
    explains: &[],
    refutes: &[],
    document: include_str!("core_buffers_for_autotuning.md"),
    test,
};

/// A limit of explicit requests, and the three numbers that bound autotuning.
const PAIRS: [(&str, &str); 2] =
    [("net.core.rmem_max", "net.ipv4.tcp_rmem"), ("net.core.wmem_max", "net.ipv4.tcp_wmem")];
/// The largest default of any kernel (4 MiB since 6.17, 212992 bytes before).
const LARGEST_DEFAULT: i64 = 4 << 20;
/// The default of kernels before 6.17 (`SK_RMEM_MAX`).
const FORMER_DEFAULT: i64 = 212_992;
/// Above the former default by any measure.
const SMALLEST_RAISE: i64 = 1 << 20;
/// From this rate of datagrams on, UDP may be what the limits were raised for.
const UDP_PER_S: f64 = 100.0;

/// A limit that was raised further than autotuning goes.
struct Raised {
    core: &'static str,
    bytes: i64,
    tcp: &'static str,
    tcp_bytes: u64,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let mut raised = Vec::new();
    for (core, tcp) in PAIRS {
        let bytes = parameters::number(evidence, core)?;
        let limits = evidence.settings.numbers(tcp).ok_or_else(|| parameters::absent(tcp))?;
        let tcp_bytes = limits.get(2).copied().ok_or_else(|| parameters::absent(tcp))?;
        if was_raised(evidence, core, bytes) && u64::try_from(bytes).is_ok_and(|bytes| bytes > tcp_bytes) {
            raised.push(Raised { core, bytes, tcp, tcp_bytes });
        }
    }
    let seen =
        PAIRS.iter().flat_map(|(core, tcp)| [*core, *tcp]).filter_map(|key| parameters::seen(evidence, key));
    let Some(most) = raised.first() else {
        let summary = "no limit of SO_RCVBUF or SO_SNDBUF was raised beyond autotuning's own";
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    };
    let summary = format!(
        "{} is {} MiB, yet TCP grows to {} kB ({})",
        most.core,
        most.bytes >> 20,
        most.tcp_bytes >> 10,
        most.tcp
    );
    let span = evidence.span(|reading| &reading.sockets)?;
    let received = counters::per_second(&span, "Udp.InDatagrams")?;
    let sent = counters::per_second(&span, "Udp.OutDatagrams")?;
    let datagrams = counters::seen_per_second("Udp.InDatagrams", received);
    if received + sent >= UDP_PER_S {
        let missing = Missing::new(
            "whether the limits were raised for UDP",
            format!(
                "{} datagrams/s may be QUIC, which asks for such buffers by SO_RCVBUF",
                number_text(received + sent)
            ),
        );
        return Ok(Outcome::consistent(Severity::Folklore, summary)
            .lacks(missing)
            .seen_all(seen)
            .seen(datagrams));
    }
    let remedy = together(raised.iter().map(|raised| remedy(evidence, raised)));
    let outcome = Outcome::confirmed(Severity::Folklore, summary).seen_all(seen).seen(datagrams);
    Ok(remedy.into_iter().fold(outcome, Outcome::remedy))
}

/// Whether a person raised a limit: above every kernel's default, or a file of the operator says so.
fn was_raised(evidence: &Evidence, key: &str, bytes: i64) -> bool {
    let owned = evidence.settings.owner(key).is_some_and(|owner| !is_vendors(&owner));
    bytes > LARGEST_DEFAULT || (owned && bytes >= SMALLEST_RAISE)
}

fn remedy(evidence: &Evidence, raised: &Raised) -> Remedy {
    let key = raised.core;
    let own =
        if transport::kernel_version(evidence) >= Some((6, 17)) { LARGEST_DEFAULT } else { FORMER_DEFAULT };
    let target = Derived::new(own, "this kernel's own value; no process that asks for more is known")
        .input("kernel", evidence.host.kernel.as_deref().unwrap_or("unknown"), "/proc/sys/kernel/osrelease")
        .input("now", raised.bytes, &format!("/proc/sys {key}"))
        .input("autotuning ends at", raised.tcp_bytes, &format!("/proc/sys {}", raised.tcp));
    let change = Change::sysctl(key, evidence.settings.value(key).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(key))
        .coupled_with("if long paths are slow, sockets.send-buffer-short computes the number that counts")
        .risks("a process that asks for a larger buffer (a database, a QUIC server) gets this much only");
    let remedy =
        Remedy::new(format!("Give {key} its value back"), "no TCP figure changes: that is the point");
    edits::restore(evidence, key, change).into_iter().fold(remedy, Remedy::change)
}
