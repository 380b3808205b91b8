//! Many segments are sent more than once.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::sockets::counters;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "sockets.retransmissions-high",
    title: "Many TCP segments are sent again",
    document: include_str!("retransmissions_high.md"),
    test,
};

/// At 1 % loss the throughput of a loss-based congestion control over 80 ms is below 2 Mbit/s (Mathis 1997).
const HIGH: f64 = 0.01;
/// Below this rate a single lost segment would be a high share.
const LEAST_PER_S: f64 = 100.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let sent = counters::per_second(&span, "Tcp.OutSegs")?;
    let again = counters::per_second(&span, "Tcp.RetransSegs")?;
    if sent < LEAST_PER_S {
        return Ok(Presence::new(false, format!("{} segments/s are too few to judge", number_text(sent))));
    }
    let share = again / sent;
    let percent = (share * 10_000.0).round() / 100.0;
    let summary = format!("{} % of {} segments/s are sent again", number_text(percent), number_text(sent));
    Ok(Presence::new(share > HIGH, summary)
        .seen(Observation::new("/proc/net/snmp", "Tcp.RetransSegs / Tcp.OutSegs", percent).unit("%"))
        .seen(counters::seen_per_second("Tcp.OutSegs", sent))
        .seen(counters::seen_per_second("Tcp.RetransSegs", again)))
}
