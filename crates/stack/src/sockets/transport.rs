//! What TCP connections did over the window, and what the kernel that carries them is.

use host::kernel::{TcpDetail, TcpTable, TcpTotals};
use model::{Missing, Observation};

use super::Facts;
use crate::{Evidence, Span};

/// The time that connections had data to send, and what held them back in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Time with data to send, summed over connections.
    pub busy_us: u64,
    /// Of it, time limited by the peers' receive windows.
    pub receive_window_limited_us: u64,
    /// Of it, time limited by this host's send buffers.
    pub send_buffer_limited_us: u64,
}

impl Work {
    fn between(first: Self, last: Self) -> Option<Self> {
        Some(Self {
            busy_us: last.busy_us.checked_sub(first.busy_us)?,
            receive_window_limited_us: last
                .receive_window_limited_us
                .checked_sub(first.receive_window_limited_us)?,
            send_buffer_limited_us: last.send_buffer_limited_us.checked_sub(first.send_buffer_limited_us)?,
        })
    }

    fn of_connection(detail: &TcpDetail) -> Option<Self> {
        Some(Self {
            busy_us: detail.busy_us?,
            receive_window_limited_us: detail.receive_window_limited_us?,
            send_buffer_limited_us: detail.send_buffer_limited_us?,
        })
    }

    fn of_all(totals: &TcpTotals) -> Self {
        Self {
            busy_us: totals.busy_us,
            receive_window_limited_us: totals.receive_window_limited_us,
            send_buffer_limited_us: totals.send_buffer_limited_us,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            busy_us: self.busy_us.saturating_add(other.busy_us),
            receive_window_limited_us: self
                .receive_window_limited_us
                .saturating_add(other.receive_window_limited_us),
            send_buffer_limited_us: self.send_buffer_limited_us.saturating_add(other.send_buffer_limited_us),
        }
    }

    /// A part of the busy time, 0 to 1; 0 without any.
    #[expect(clippy::cast_precision_loss, reason = "a share of microseconds")]
    pub fn share(&self, part_us: u64) -> f64 {
        if self.busy_us == 0 { 0.0 } else { (part_us as f64 / self.busy_us as f64).min(1.0) }
    }

    /// Busy time that neither the peers' windows nor the send buffers limited: the congestion window's share.
    pub fn congestion_limited_us(&self) -> u64 {
        self.busy_us
            .saturating_sub(self.receive_window_limited_us)
            .saturating_sub(self.send_buffer_limited_us)
    }
}

/// The TCP sockets, grouped.
///
/// # Errors
/// What is missing, when they could not be listed.
pub fn table(facts: &Facts) -> Result<&TcpTable, Missing> {
    let what = "TCP connections with their tcp_info";
    facts.tcp.as_ref().ok_or_else(|| match &facts.tcp_unread {
        Some(unread) => unread.missing(what),
        None => Missing::new(what, "read the host itself; a recorded tree may lack them"),
    })
}

/// The sums over all established connections; zeros where there are none.
///
/// # Errors
/// As [`table`], or when the kernel gave no `tcp_info` of connections that are there.
pub fn totals(facts: &Facts) -> Result<TcpTotals, Missing> {
    let table = table(facts)?;
    let established = table.states.get("established").copied().unwrap_or(0);
    match &table.totals {
        Some(totals) => Ok(totals.clone()),
        None if established == 0 && !table.truncated => Ok(TcpTotals::default()),
        None => Err(Missing::new(
            "tcp_info of TCP connections",
            "load the module tcp_diag (`ss -ti` does), then read again",
        )),
    }
}

/// The busiest connections that are listed at both ends of the window, as they were and as they are.
pub fn followed<'a>(span: &Span<'a, Facts>) -> Vec<(&'a TcpDetail, &'a TcpDetail)> {
    let (Some(first), Some(last)) = (&span.first.tcp, &span.last.tcp) else { return vec![] };
    let before =
        |now: &TcpDetail| first.busy.iter().find(|then| then.local == now.local && then.remote == now.remote);
    last.busy.iter().filter_map(|now| Some((before(now)?, now))).collect()
}

/// What one connection did over the window; `None` when the kernel does not say, or it is another connection by now.
pub fn work_of(then: &TcpDetail, now: &TcpDetail) -> Option<Work> {
    Work::between(Work::of_connection(then)?, Work::of_connection(now)?)
}

/// What connections did over the window: the busiest ones one by one, or the sums over all where none of them worked.
///
/// # Errors
/// What is missing, also when connections closed within the window, so that their time is gone from the sums.
pub fn work(span: &Span<Facts>) -> Result<Work, Missing> {
    let (first, last) = (totals(span.first)?, totals(span.last)?);
    let each = followed(span).into_iter().filter_map(|(then, now)| work_of(then, now));
    let followed = each.fold(Work::default(), Work::and);
    if followed.busy_us > 0 {
        return Ok(followed);
    }
    Work::between(Work::of_all(&first), Work::of_all(&last)).ok_or_else(|| {
        Missing::new(
            "the time TCP had data to send: connections closed within the window",
            "read over a shorter window while long transfers run",
        )
    })
}

/// Whether a congestion control steers by a model of the path (it has a `cong_control` function) instead of by loss.
pub fn is_model_based(congestion_control: &str) -> bool {
    congestion_control.starts_with("bbr")
}

/// Established connections whose congestion control is loss-based; the host's default stands in where none is named.
pub fn loss_based(totals: &TcpTotals, default: &str) -> u64 {
    if totals.by_congestion_control.is_empty() {
        return if is_model_based(default) { 0 } else { totals.sockets };
    }
    let loss_based = totals.by_congestion_control.iter().filter(|(name, _)| !is_model_based(name));
    loss_based.map(|(_, count)| *count).fold(0, u64::saturating_add)
}

/// The round-trip time that nine of ten connections stay below, or the median where that is all there is.
///
/// # Errors
/// What is missing, when no connection has one.
pub fn round_trip_us(totals: &TcpTotals) -> Result<u32, Missing> {
    totals.p90_rtt_us.or(totals.median_rtt_us).ok_or_else(|| {
        Missing::new("round-trip times of connections", "read while connections from outside are open")
    })
}

/// Round-trip times as observations.
pub fn seen_round_trips(totals: &TcpTotals) -> Vec<Observation> {
    let seen = |field: &str, rtt: Option<u32>| {
        rtt.map(|us| Observation::new("sock_diag tcp_info", field, f64::from(us) / 1000.0).unit("ms"))
    };
    let each = [seen("rtt, median", totals.median_rtt_us), seen("rtt, 90th percentile", totals.p90_rtt_us)];
    each.into_iter().flatten().collect()
}

/// A time in ms as a person reads it.
pub fn ms(us: u32) -> String {
    model::observation::number_text(f64::from(us) / 1000.0)
}

/// A share as a percentage with at most one decimal.
pub fn percent(share: f64) -> String {
    model::observation::number_text((share * 1000.0).round() / 10.0)
}

/// The kernel's version, as (6, 1) for `6.1.0-56-cloud-amd64`.
pub fn kernel_version(evidence: &Evidence) -> Option<(u32, u32)> {
    let mut parts = evidence.host.kernel.as_deref()?.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(remote: &str, busy_us: u64) -> TcpDetail {
        TcpDetail {
            remote: remote.to_owned(),
            busy_us: Some(busy_us),
            receive_window_limited_us: Some(0),
            send_buffer_limited_us: Some(busy_us / 2),
            ..TcpDetail::default()
        }
    }

    fn facts(busy: Vec<TcpDetail>, busy_us: u64) -> Facts {
        let totals = Some(TcpTotals { busy_us, ..TcpTotals::default() });
        Facts { tcp: Some(TcpTable { busy, totals, ..TcpTable::default() }), ..Facts::default() }
    }

    #[test]
    fn connections_are_followed_and_a_port_used_anew_is_left_out() {
        let first = facts(vec![detail("a", 1000), detail("b", 9000)], 0);
        let last = facts(vec![detail("a", 3000), detail("b", 10), detail("c", 5)], 0);
        let span = Span { first: &first, last: &last, seconds: 1.0 };
        let work = work(&span).unwrap();
        assert_eq!((work.busy_us, work.send_buffer_limited_us), (2000, 1000));
        assert!((work.share(1000) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn sums_that_fell_are_missing_evidence() {
        let (first, last) = (facts(vec![], 50), facts(vec![], 40));
        assert!(work(&Span { first: &first, last: &last, seconds: 1.0 }).is_err());
    }

    #[test]
    fn unnamed_connections_count_by_the_default() {
        let totals = TcpTotals { sockets: 7, ..TcpTotals::default() };
        assert_eq!((loss_based(&totals, "cubic"), loss_based(&totals, "bbr")), (7, 0));
    }
}
