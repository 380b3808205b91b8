//! Connections that lose their congestion window in a pause.

use host::kernel::TcpDetail;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::{Facts, parameters, transport};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.slow-start-after-idle",
    title: "Connections start slowly again after each pause",
    explains: &[],
    refutes: &[],
    document: include_str!("slow_start_after_idle.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_slow_start_after_idle";
/// Below this round-trip time the round trips of a slow start are not felt.
const FAR_US: u32 = 20_000;
/// The least retransmission timeout of Linux (`TCP_RTO_MIN`): a shorter pause costs nothing.
const LEAST_RTO_US: u32 = 200_000;
/// Fewer connections than this prove nothing.
const LEAST_SEEN: usize = 3;

/// A connection that had data to send for this share of the window made no pause that ends a window. The kernel counts
/// in ticks, which a virtual machine may lose some of.
const NO_PAUSE: f64 = 0.9;

/// Two looks at one connection.
type Pair<'a> = (&'a TcpDetail, &'a TcpDetail);

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    if parameters::number(evidence, KEY)? == 0 {
        return Ok(Outcome::ruled_out(format!("{KEY} is 0: windows outlive pauses")));
    }
    let span = evidence.span(|reading| &reading.sockets)?;
    let totals = transport::totals(span.last)?;
    let default = evidence.settings.value("net.ipv4.tcp_congestion_control").unwrap_or("cubic");
    let rounds = transport::seen_round_trips(&totals);
    if transport::loss_based(&totals, default) == 0 {
        let summary = match totals.sockets {
            0 => "no connection is established".to_owned(),
            count => format!("all {count} connections use {default}, which keeps its window over a pause"),
        };
        return Ok(Outcome::ruled_out(summary).seen_all(rounds));
    }
    let round_trip = transport::round_trip_us(&totals)?;
    if round_trip <= FAR_US {
        let summary = format!(
            "9 of 10 round trips take at most {} ms: a slow start is not felt",
            transport::ms(round_trip)
        );
        return Ok(Outcome::ruled_out(summary).seen_all(rounds));
    }
    if let Some(summary) = never_paused(&span) {
        return Ok(Outcome::ruled_out(summary).seen_all(rounds));
    }
    let resumed: Vec<_> =
        transport::followed(&span).into_iter().filter(|pair| resumed_far_away(*pair)).collect();
    let fell: Vec<_> = resumed.iter().copied().filter(|pair| fell_without_loss(*pair)).collect();
    // A window that was small at first has grown again by the end of a response, and says nothing then.
    let still_sending = |pair: &&Pair| pair.1.unacked > 0 && !fell_without_loss(**pair);
    let kept = resumed.iter().filter(still_sending).count();
    Ok(verdict(evidence, default, resumed.len(), kept, &fell).seen_all(rounds))
}

/// Says so where the loss-based connections over long paths that were followed had data to send all the while.
fn never_paused(span: &Span<Facts>) -> Option<String> {
    let far = transport::followed(span).into_iter().filter(|(_, now)| is_loss_based_and_far(now));
    let busy: Vec<_> =
        far.map(|(then, now)| transport::work_of(then, now).map(|work| work.busy_us)).collect();
    let (count, least) = (busy.len(), busy.into_iter().min().flatten()?);
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a window")]
    let share = least as f64 / 1e6 / span.seconds;
    (share >= NO_PAUSE).then(|| {
        format!(
            "{count} connections over long paths had data to send for {} % of the time or more",
            transport::percent(share.min(1.0))
        )
    })
}

fn is_loss_based_and_far(now: &TcpDetail) -> bool {
    now.rtt_us > FAR_US && !now.congestion_control.as_deref().is_some_and(transport::is_model_based)
}

/// Whether a loss-based connection paused for longer than its retransmission timeout, and has sent data since.
fn resumed_far_away((then, now): Pair) -> bool {
    let timeout_us = then.rtt_us.saturating_add(then.rtt_variance_us.saturating_mul(4).max(LEAST_RTO_US));
    let paused = then.last_send_ms.is_some_and(|ms| ms.saturating_mul(1000) > timeout_us);
    let sent = then.bytes_acked.zip(now.bytes_acked).is_some_and(|(then, now)| now > then);
    is_loss_based_and_far(now) && paused && sent
}

/// Whether the window is smaller than before the pause, though nothing had to be sent again.
fn fell_without_loss((then, now): Pair) -> bool {
    now.congestion_window < then.congestion_window && now.retransmits_total == then.retransmits_total
}

/// `kept` are those that were still sending with a window as large as before their pause.
fn verdict(evidence: &Evidence, default: &str, resumed: usize, kept: usize, fell: &[Pair]) -> Outcome {
    let summary = format!("{} of {resumed} paused connections went on with a smaller window", fell.len());
    let told = fell.len().saturating_add(kept);
    if fell.len() >= LEAST_SEEN && fell.len().saturating_mul(5) >= told {
        return Outcome::confirmed(
            Severity::Hygiene,
            format!("{summary}, {kept} sent with one as large as before"),
        )
        .seen_all(fell.iter().take(4).map(seen))
        .remedy(remedy(evidence, default, told, fell));
    }
    let summary = match resumed {
        0 => "round trips are long, but no connection paused and went on within the window".to_owned(),
        _ => summary,
    };
    Outcome::consistent(Severity::Hygiene, summary).seen_all(fell.iter().map(seen)).lacks(Missing::new(
        "the share of requests that come over a kept connection",
        "log $connection_requests in nginx; a pause longer than keepalive_timeout (75 s) ends the connection anyway",
    ))
}

fn seen((then, now): &Pair) -> Observation {
    let text = format!(
        "cwnd {} → {} after a pause of {} ms",
        then.congestion_window,
        now.congestion_window,
        then.last_send_ms.unwrap_or_default()
    );
    Observation::new("sock_diag tcp_info", format!("{} → {}", now.local, now.remote), text)
}

fn remedy(evidence: &Evidence, default: &str, told: usize, fell: &[Pair]) -> Remedy {
    let rtt = fell.iter().map(|(_, now)| now.rtt_us).max().unwrap_or_default();
    let target = Derived::new(
        0,
        "0 where congestion control is loss-based, rtt > 20 ms and windows fall in ≥ 20 % of pauses",
    )
    .input("congestion control", default, "/proc/sys net.ipv4.tcp_congestion_control")
    .input("rtt", format!("{} ms", transport::ms(rtt)), "sock_diag tcp_info")
    .input("windows that fell", format!("{} of {told} pauses", fell.len()), "sock_diag tcp_info");
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .coupled_with("keep-alive of the web server must outlive the pause, or there is no window to keep")
        .risks("after a pause the old window is sent at once into a path that may be fuller by now");
    Remedy::new(
        "Keep congestion windows over pauses",
        "a transfer after a pause takes as long as one before it (measured at 80 ms: 0.50 s becomes 0.22 s)",
    )
    .change(change)
}
