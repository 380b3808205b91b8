//! The load is packets, not bytes.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nic::rates::rates;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nic.small-packets",
    title: "Many small packets instead of few large ones",
    explains: &["cpu.softirq-high"],
    refutes: &[],
    document: include_str!("small_packets.md"),
    test,
};

/// A request that polls for a counter, or an acknowledgement, with its headers.
const SMALL_BYTES: f64 = 300.0;
/// One CPU core receives several hundred thousand packets per second; far below there is nothing to gain.
const MANY_PER_S: f64 = 20_000.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.nic)?;
    span.last.hardware()?;
    let rates = rates(&span);
    let hardware = rates.iter().filter(|rate| rate.interface.is_hardware());
    let traffic = hardware.filter_map(|rate| {
        Some((rate.interface.name.as_str(), rate.receive_packets_per_s?, rate.receive_bytes_per_s?))
    });
    let busiest = traffic.max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((name, packets, bytes)) = busiest else {
        if rates.iter().any(|rate| rate.interface.is_hardware()) {
            return Err(Missing::new(
                "/sys/class/net/*/statistics of two readings",
                "the counters went backwards or are missing",
            ));
        }
        return Ok(Outcome::ruled_out("no interface with hardware in this network namespace"));
    };
    let size = if packets > 0.0 { bytes / packets } else { 0.0 };
    let line = format!(
        "{name} receives {} packets/s of {} bytes",
        number_text(packets.round()),
        number_text(size.round())
    );
    let outcome = match (packets >= MANY_PER_S, size < SMALL_BYTES) {
        (true, true) => Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(name, packets, size)),
        _ => Outcome::ruled_out(line),
    };
    let source = "/sys/class/net statistics";
    let packets = Observation::new(source, format!("{name} rx_packets"), packets).unit("/s");
    Ok(outcome
        .seen(packets)
        .seen(Observation::new(source, format!("{name} rx_bytes ÷ rx_packets"), size).unit("bytes")))
}

fn remedy(name: &str, packets: f64, size: f64) -> Remedy {
    let target = Derived::new("fewer, larger messages", "packets/s ≥ 20000 and bytes ÷ packets < 300")
        .input("packets/s", number_text(packets.round()), &format!("{name} rx_packets"))
        .input("bytes ÷ packets", number_text(size.round()), &format!("{name} statistics"));
    let place =
        "the pages that poll: cache the answer, poll less often, or push it (server-sent events)".to_owned();
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("acknowledgements of large downloads are small packets too: compare with what is sent");
    Remedy::new("Send fewer packets for the same work", format!("rx_packets of {name} per second fall"))
        .change(change)
}
