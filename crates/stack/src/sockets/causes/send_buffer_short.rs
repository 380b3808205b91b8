//! Transfers that wait for room in the send buffer.

use host::kernel::TcpDetail;
use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::{Facts, counters, parameters, transport};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.send-buffer-short",
    title: "Send buffers are too small for the path",
    explains: &[],
    refutes: &[],
    document: include_str!("send_buffer_short.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_wmem";
/// Below this share of the time with data to send, buffers hold nothing back.
const HIGH: f64 = 0.05;
/// Less time with data to send than this is too little to judge.
const LEAST_BUSY_US: u64 = 100_000;
/// From this share of the buffer on, twice what is on its way fills it: the kernel counts overhead of packets as well.
const FULL: f64 = 0.8;
const MIB: u64 = 1 << 20;
const PAGE_BYTES: u64 = 4096;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let work = transport::work(&span)?;
    let limits = evidence.settings.numbers(KEY).filter(|limits| limits.len() == 3);
    let limit = limits.as_ref().and_then(|limits| limits.get(2)).copied();
    let limit = limit.ok_or_else(|| parameters::absent(KEY))?;
    let share = work.share(work.send_buffer_limited_us);
    let seen = [
        Observation::new("sock_diag tcp_info", "sndbuf_limited / busy", share * 100.0).unit("%"),
        Observation::new("/proc/sys", KEY, evidence.settings.value(KEY).unwrap_or_default()),
    ];
    if work.busy_us < LEAST_BUSY_US {
        let summary = format!("TCP had data to send for {} ms only", work.busy_us / 1000);
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    }
    if share <= HIGH {
        let summary =
            format!("send buffers held TCP back for {} % of its busy time", transport::percent(share));
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    }
    Ok(short(evidence, &span, share, limit)?.seen_all(seen))
}

fn short(evidence: &Evidence, span: &Span<Facts>, share: f64, limit: u64) -> Result<Outcome, Missing> {
    let share = transport::percent(share);
    let pressed = counters::growth(span, "TcpExt.TCPMemoryPressures").unwrap_or(0);
    if pressed > 0 {
        let summary = format!("{share} % of busy time, while TCP as a whole is short of memory");
        return Ok(Outcome::consistent(Severity::Limiting, summary).lacks(Missing::new(
            "buffers without memory pressure",
            "TCP has reached tcp_mem: larger buffers would make that worse; find what holds them (`ss -tm`)",
        )));
    }
    let waiting: Vec<_> = transport::table(span.last)?.busy.iter().filter(|detail| waits(detail)).collect();
    let widest = waiting.iter().copied().max_by_key(|detail| on_the_way_bytes(detail));
    let bytes = widest.map_or(0, on_the_way_bytes);
    let summary = format!(
        "{share} % of busy time; {} kB on the way at most, tcp_wmem ends at {} kB",
        number_text(kb(bytes)),
        number_text(kb(limit))
    );
    match widest {
        Some(widest) if kb(bytes) * 2.0 >= kb(limit) * FULL => {
            let outcome = Outcome::confirmed(Severity::Limiting, summary).seen(path(widest));
            Ok(remedy(evidence, widest, waiting.len(), limit).into_iter().fold(outcome, Outcome::remedy))
        }
        _ => Ok(Outcome::consistent(Severity::Hygiene, summary).seen_all(widest.map(path)).lacks(Missing::new(
            "who chose the size of the buffer",
            "a process that sets SO_SNDBUF turns autotuning off for it: look at tb in `ss -tm` and at its configuration",
        ))),
    }
}

fn waits(detail: &TcpDetail) -> bool {
    detail.send_buffer_limited_us.is_some_and(|us| us > 0)
}

/// The bandwidth-delay product as measured: what was on the way at once.
fn on_the_way_bytes(detail: &TcpDetail) -> u64 {
    let rate = detail.delivery_rate_bytes_per_s.unwrap_or(0);
    u64::try_from(u128::from(rate) * u128::from(detail.rtt_us) / 1_000_000).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "buffer sizes")]
fn kb(bytes: u64) -> f64 {
    (bytes as f64 / 1000.0).round()
}

fn path(detail: &TcpDetail) -> Observation {
    let rate = detail.delivery_rate_bytes_per_s.unwrap_or(0);
    let text = format!("{} kB/s over {} ms", number_text(kb(rate)), transport::ms(detail.rtt_us));
    Observation::new("sock_diag tcp_info", format!("{} → {}", detail.local, detail.remote), text)
}

/// A larger third value of `tcp_wmem`; nothing where `tcp_mem` leaves no room for one.
fn remedy(evidence: &Evidence, widest: &TcpDetail, waiting: usize, limit: u64) -> Option<Remedy> {
    let limits = evidence.settings.numbers(KEY)?;
    let [least, default, _] = *limits.as_slice() else { return None };
    let pages = evidence.settings.numbers("net.ipv4.tcp_mem")?.get(1).copied()?;
    let connections = u64::try_from(waiting.max(1)).ok()?;
    let room = pages.saturating_mul(PAGE_BYTES) / connections / MIB * MIB;
    let product = on_the_way_bytes(widest);
    let wanted = product.saturating_mul(4).div_ceil(MIB).saturating_mul(MIB).min(room);
    if wanted <= limit {
        return None;
    }
    let formula = "max = 4 × rate × rtt in whole MiB (twice the 2 × rate × rtt that the old limit allowed), \
                   at most tcp_mem[1] × 4096 / connections that wait";
    let target = Derived::new(format!("{least} {default} {wanted}"), formula)
        .input(
            "rate",
            format!("{} kB/s", number_text(kb(widest.delivery_rate_bytes_per_s?))),
            "sock_diag tcp_info",
        )
        .input("rtt", format!("{} ms", transport::ms(widest.rtt_us)), "sock_diag tcp_info")
        .input("tcp_mem[1]", format!("{pages} pages"), "/proc/sys net.ipv4.tcp_mem")
        .input("connections that wait", waiting, "sock_diag tcp_info sndbuf_limited");
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .coupled_with("net.core.wmem_max stays: it bounds SO_SNDBUF and takes no part in autotuning")
        .restarts("none; connections that are open grow too")
        .risks("each slow receiver can hold this much kernel memory");
    Some(
        Remedy::new(
            format!("Let send buffers grow to {} MiB", wanted / MIB),
            "sndbuf_limited falls below 5 % of busy time",
        )
        .change(change),
    )
}
