//! Loss on long paths, which holds loss-based congestion control back.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity, counter};

use crate::sockets::{Facts, bbr, counters, transport};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.loss-limits-cubic",
    title: "Loss on long paths holds loss-based congestion control back",
    explains: &["sockets.retransmissions-high"],
    refutes: &[],
    document: include_str!("loss_limits_cubic.md"),
    test,
};

/// Above this share of segments sent again, loss decides the rate on a long path.
const HIGH: f64 = 0.01;
/// Random loss beyond which BBR slows down as well.
const TOO_MUCH_FOR_BBR: f64 = 0.15;
/// On shorter paths a loss is repaired before it is felt.
const FAR_US: u32 = 30_000;
/// Fewer segments per second than this make one loss a high share.
const LEAST_PER_S: f64 = 100.0;
/// Long paths need this much time with data to send to prove anything.
const LEAST_BUSY_US: u64 = 1_000_000;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let sent = counters::per_second(&span, "Tcp.OutSegs")?;
    let again = counters::per_second(&span, "Tcp.RetransSegs")?;
    let control = bbr::control(evidence)?;
    let share = if sent > 0.0 { again / sent } else { 0.0 };
    let seen = [
        Observation::new("/proc/net/snmp", "RetransSegs / OutSegs", share * 100.0).unit("%"),
        counters::seen_per_second("Tcp.OutSegs", sent),
        Observation::new("/proc/sys", "net.ipv4.tcp_congestion_control", control),
    ];
    if sent < LEAST_PER_S || share <= HIGH {
        let summary =
            format!("{} % of {} segments/s are sent again", transport::percent(share), number_text(sent));
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    }
    let totals = transport::totals(span.last)?;
    let round_trip = transport::round_trip_us(&totals)?;
    let lossy = format!(
        "{} % of segments are sent again over {} ms",
        transport::percent(share),
        transport::ms(round_trip)
    );
    let seen = seen.into_iter().chain(transport::seen_round_trips(&totals));
    if transport::loss_based(&totals, control) == 0 {
        return Ok(with_bbr(share, &lossy).seen_all(seen));
    }
    if round_trip <= FAR_US {
        let summary = format!("{lossy}: such paths repair a loss at once; look for what loses");
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    }
    let each = bbr::loss_based_bytes_per_s(round_trip, share);
    let bound = Observation::new("1.22 × 1448 / (rtt × √loss)", "rate of one connection", each.round())
        .unit("bytes/s");
    let summary = format!("{lossy}: about {} kB/s a connection", number_text((each / 1000.0).round()));
    let beta = (control == "cubic").then(|| {
        Observation::new(
            "net/ipv4/tcp_cubic.c",
            "beta",
            "717/1024: a round trip with loss leaves 0.7 of the window",
        )
    });
    Ok(verdict(evidence, &span, summary, share, round_trip).seen_all(seen).seen(bound).seen_all(beta))
}

fn with_bbr(share: f64, lossy: &str) -> Outcome {
    if share <= TOO_MUCH_FOR_BBR {
        return Outcome::ruled_out(format!("{lossy}; bbr does not slow down for that"));
    }
    Outcome::consistent(Severity::Hygiene, format!("{lossy}: more than bbr takes for noise")).lacks(
        Missing::new(
            "where segments are lost",
            "loss of 15 % and more is a fault: look at the path (`mtr`), a policer, or the other side's link",
        ),
    )
}

fn verdict(evidence: &Evidence, span: &Span<Facts>, summary: String, share: f64, round_trip: u32) -> Outcome {
    let again = counters::growth(span, "Tcp.RetransSegs").unwrap_or(0);
    let own = dropped_by_own_queues(evidence);
    if own.saturating_mul(2) >= again && own > 0 {
        return Outcome::consistent(Severity::Limiting, summary).lacks(Missing::new(
            "loss on the path",
            format!("this host's own queues dropped {own} packets, which explains half of it or more: mend that first"),
        ));
    }
    let losses = [
        ("sent again", format!("{} %", transport::percent(share))),
        ("rtt", format!("{} ms", transport::ms(round_trip))),
    ];
    if held_back(span) {
        return Outcome::confirmed(Severity::Limiting, summary).remedy(bbr::remedy(evidence, &losses));
    }
    Outcome::consistent(Severity::Limiting, summary).lacks(Missing::new(
        "a long transfer that loses segments and waits for its congestion window",
        "read again while visitors far away load large files; `ss -ti` shows retrans grow and cwnd stay small",
    ))
}

/// Whether loss-based connections over long paths lost segments in the window and waited mostly for their own
/// congestion window: neither for the peer's window nor for their send buffer.
fn held_back(span: &Span<Facts>) -> bool {
    let (mut busy, mut held, mut out, mut again) = (0u64, 0u64, 0u64, 0u64);
    for (then, now) in transport::followed(span) {
        let model_based = now.congestion_control.as_deref().is_some_and(transport::is_model_based);
        let segments = then.segments_out.zip(now.segments_out).and_then(|(then, now)| now.checked_sub(then));
        let lost = now.retransmits_total.checked_sub(then.retransmits_total);
        let (Some(work), Some(segments), Some(lost)) = (transport::work_of(then, now), segments, lost) else {
            continue;
        };
        if now.rtt_us > FAR_US && !model_based {
            busy = busy.saturating_add(work.busy_us);
            held = held.saturating_add(work.congestion_limited_us());
            out = out.saturating_add(segments);
            again = again.saturating_add(u64::from(lost));
        }
    }
    busy >= LEAST_BUSY_US && held.saturating_mul(2) >= busy && again.saturating_mul(100) > out
}

/// Packets that root queues of this host dropped over the window; 0 where that was not read.
fn dropped_by_own_queues(evidence: &Evidence) -> u64 {
    let Ok(span) = evidence.span(|reading| &reading.qdisc) else { return 0 };
    let roots = span.last.qdiscs.iter().filter(|qdisc| qdisc.parent == "root");
    let growths = roots.filter_map(|last| {
        let same =
            |first: &&host::kernel::Qdisc| first.interface == last.interface && first.parent == last.parent;
        counter::growth(span.first.qdiscs.iter().find(same)?.drops, last.drops)
    });
    growths.fold(0, u64::saturating_add)
}
