//! How many local ports are left towards each destination.

use std::collections::BTreeMap;

use host::kernel::Destination;
use model::observation::number_text;
use model::{Missing, Observation};

use super::{parameters, parse_port_list, parse_port_range};
use crate::Evidence;

/// The seconds a socket stays in TIME_WAIT (`TCP_TIMEWAIT_LEN`, compiled in).
pub const TIME_WAIT_S: f64 = 60.0;
/// The seconds after which a socket in TIME_WAIT may be reused (`tcp_twsk_unique`; `tcp_tw_reuse_delay` since Linux 6.14).
const REUSED_AFTER_S: f64 = 1.0;

/// The local ports that connect() chooses from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
    /// Ports that are never chosen, as ranges with both ends included; in order and apart from each other.
    pub reserved: Vec<(u16, u16)>,
}

impl Range {
    /// Whether connect() may choose a port.
    pub fn may_choose(&self, port: u16) -> bool {
        (self.low..=self.high).contains(&port) && !self.is_reserved(port)
    }

    /// Whether a port is reserved.
    pub fn is_reserved(&self, port: u16) -> bool {
        self.reserved.iter().any(|(low, high)| (*low..=*high).contains(&port))
    }

    /// How many ports connect() may choose.
    pub fn usable(&self) -> u32 {
        let length = |low: u16, high: u16| (u32::from(high) + 1).saturating_sub(u32::from(low));
        let inside = |(low, high): &(u16, u16)| length((*low).max(self.low), (*high).min(self.high));
        length(self.low, self.high).saturating_sub(self.reserved.iter().map(inside).sum())
    }
}

/// The ports that connect() chooses from on this host.
///
/// # Errors
/// What is missing, when `ip_local_port_range` or `ip_local_reserved_ports` was not read.
pub fn range(evidence: &Evidence) -> Result<Range, Missing> {
    let text = |key| evidence.settings.value(key).ok_or_else(|| parameters::absent(key));
    let key = "net.ipv4.ip_local_port_range";
    let (low, high) = parse_port_range(text(key)?.as_bytes()).ok_or_else(|| parameters::absent(key))?;
    let reserved = parse_port_list(text("net.ipv4.ip_local_reserved_ports")?.as_bytes());
    Ok(Range { low, high, reserved })
}

/// The ports taken towards one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken<'a> {
    /// The destination, at its fullest.
    pub destination: &'a Destination,
    /// How many ports there are.
    pub usable: u32,
    /// How many of them connect() cannot have: all in use, less those in TIME_WAIT that it may reuse.
    pub blocked: f64,
    /// Whether TIME_WAIT towards it is reused after a second.
    pub reuses: bool,
    /// The connections that were closed from this side per second, of late; `None` where the age of sockets in TIME_WAIT is
    /// not known.
    pub closed_per_s: Option<f64>,
}

impl Taken<'_> {
    /// The share of ports that connect() cannot have.
    pub fn share(&self) -> f64 {
        self.blocked / f64::from(self.usable.max(1))
    }

    /// How long a port is taken by one connection in seconds, TIME_WAIT included; by Little's law for the time that
    /// it is open. `None` where connections were not seen to close.
    pub fn held_s(&self) -> Option<f64> {
        let closed_per_s = self.closed_per_s.filter(|rate| *rate > 0.0)?;
        let Destination { established, other, .. } = self.destination;
        let open = f64::from(*established) + f64::from(*other);
        Some(open / closed_per_s + if self.reuses { REUSED_AFTER_S } else { TIME_WAIT_S })
    }

    /// The destination's address and port.
    pub fn name(&self) -> String {
        let Destination { remote, port, .. } = self.destination;
        if remote.contains(':') && !remote.starts_with('[') {
            format!("[{remote}]:{port}")
        } else {
            format!("{remote}:{port}")
        }
    }

    /// What was seen, in one line.
    pub fn line(&self) -> String {
        format!(
            "{}: {} of {} ports, {} %",
            self.name(),
            number_text(self.blocked.round()),
            number_text(f64::from(self.usable)),
            number_text((self.share() * 1000.0).round() / 10.0)
        )
    }

    /// What was seen, as an observation.
    pub fn observation(&self) -> Observation {
        let from = &self.destination.local;
        Observation::new("inet_diag", format!("ports taken from {from} to"), self.line())
    }

    /// Whether either end is a loopback address, the way `tcp_twsk_unique` looks.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.destination.local) || is_loopback(&self.destination.remote)
    }
}

fn is_loopback(address: &str) -> bool {
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.strip_prefix("::ffff:").unwrap_or(address);
    address == "::1" || address.starts_with("127.")
}

/// Every destination at the reading that had most of its ports in use, fullest first.
///
/// # Errors
/// What is missing: TCP sockets by destination, or a kernel parameter.
pub fn taken(evidence: &Evidence) -> Result<Vec<Taken<'_>>, Missing> {
    let mut fullest: BTreeMap<_, &Destination> = BTreeMap::new();
    let facts = evidence.readings.iter().filter_map(|reading| reading.sockets.facts());
    let mut listed = false;
    for table in facts.filter_map(|facts| facts.tcp.as_ref()) {
        listed = true;
        for destination in &table.destinations {
            let key = (&destination.local, &destination.remote, destination.port);
            let known = fullest.entry(key).or_insert(destination);
            if destination.in_range > known.in_range {
                *known = destination;
            }
        }
    }
    if !listed {
        return Err(why_unlisted(evidence));
    }
    let usable = range(evidence)?.usable();
    let window_s = evidence.seconds();
    let reuse = parameters::number(evidence, "net.ipv4.tcp_tw_reuse")?;
    let timestamps = parameters::number(evidence, "net.ipv4.tcp_timestamps")? != 0;
    let mut all: Vec<_> = fullest
        .into_values()
        .map(|destination| {
            let blocked = f64::from(destination.in_range);
            let closed_per_s = closed_per_s(destination, window_s);
            let mut taken = Taken { destination, usable, blocked, reuses: false, closed_per_s };
            taken.reuses = timestamps && (reuse == 1 || (reuse == 2 && taken.is_loopback()));
            if taken.reuses {
                let waits = f64::from(destination.time_wait.min(destination.in_range));
                taken.blocked += waits / TIME_WAIT_S - waits;
            }
            taken
        })
        .collect();
    all.sort_by(|a, b| b.blocked.total_cmp(&a.blocked));
    Ok(all)
}

/// The connections closed per second, from the ages of those in TIME_WAIT: over the window, and at least over one step of
/// ages. A socket that was reused meanwhile is no longer there to be counted, which makes no difference while ports are many.
fn closed_per_s(destination: &Destination, window_s: f64) -> Option<f64> {
    let step_s = f64::from(Destination::AGE_STEP_S);
    let ends_s = std::iter::successors(Some(step_s), |end_s| Some(end_s + step_s));
    let within = ends_s.zip(&destination.time_wait_by_age);
    let within = within.take_while(|(end_s, _)| *end_s <= window_s.max(step_s));
    let closed: f64 = within.map(|(_, count)| f64::from(*count)).sum();
    let over_s = ((window_s / step_s).floor() * step_s).clamp(step_s, TIME_WAIT_S);
    (!destination.time_wait_by_age.is_empty()).then_some(closed / over_s)
}

/// TCP sockets as missing evidence.
pub fn why_unlisted(evidence: &Evidence) -> Missing {
    let what = "TCP sockets by state and destination";
    match evidence.latest(|reading| &reading.sockets) {
        Err(missing) => missing,
        Ok(facts) => facts.tcp_unread.as_ref().map_or_else(
            || Missing::new(what, "read the host itself: they come from the kernel's sock_diag interface"),
            |unread| unread.missing(what),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_are_not_usable() {
        let range = Range { low: 10, high: 19, reserved: vec![(1, 5), (7, 12), (19, 30), (40, 50)] };
        assert_eq!(range.usable(), 6);
        assert!(range.may_choose(13) && !range.may_choose(12) && !range.may_choose(20));
        assert_eq!(Range { low: 0, high: u16::MAX, reserved: vec![] }.usable(), 65_536);
    }

    fn destination(established: u32, time_wait_by_age: &[u32]) -> Destination {
        let time_wait = time_wait_by_age.iter().sum();
        Destination {
            established,
            time_wait,
            time_wait_by_age: time_wait_by_age.to_vec(),
            ..Destination::default()
        }
    }

    #[test]
    fn connections_are_counted_over_the_window_and_not_over_the_minute_before() {
        let begun_6_s_ago = destination(0, &[100, 20]);
        assert_eq!(closed_per_s(&begun_6_s_ago, 5.0), Some(20.0));
        assert_eq!(closed_per_s(&begun_6_s_ago, 2.0), Some(20.0));
        assert_eq!(closed_per_s(&destination(0, &[100, 60, 900]), 11.0), Some(16.0));
        assert_eq!(closed_per_s(&destination(5, &[0, 0, 9]), 5.0), Some(0.0));
        assert_eq!(closed_per_s(&destination(5, &[]), 5.0), None);
        assert_eq!(closed_per_s(&begun_6_s_ago, 20.0), Some(6.0), "none before");
    }

    #[test]
    fn a_port_is_held_while_its_connection_is_open_and_a_minute_longer() {
        let destination = destination(10, &[100]);
        let taken = Taken {
            destination: &destination,
            usable: 600,
            blocked: 110.0,
            reuses: false,
            closed_per_s: Some(20.0),
        };
        assert_eq!(taken.held_s(), Some(60.5));
        assert_eq!(Taken { reuses: true, ..taken.clone() }.held_s(), Some(1.5));
        assert_eq!(Taken { closed_per_s: Some(0.0), ..taken }.held_s(), None);
    }

    #[test]
    fn loopback_is_told_from_its_address() {
        assert!(
            ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"].iter().all(|a| is_loopback(a))
        );
        assert!(!["10.127.0.1", "::", "2001:db8::1"].iter().any(|a| is_loopback(a)));
    }
}
