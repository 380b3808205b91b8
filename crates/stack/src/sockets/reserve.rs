//! Keeping ports of services out of the range that connect() chooses from.

use model::{Change, Derived};

use super::parse_port_list;
use crate::Evidence;

const KEY: &str = "net.ipv4.ip_local_reserved_ports";

/// Reserves ports, in addition to those reserved already.
pub(super) fn change(evidence: &Evidence, ports: &[u16]) -> Change {
    let current = evidence.settings.value(KEY).unwrap_or_default();
    let mut all = parse_port_list(current.as_bytes());
    all.extend(ports.iter().map(|port| (*port, *port)));
    let listed = |ports: &[(u16, u16)]| ports.iter().map(text).collect::<Vec<_>>().join(",");
    let mut listening: Vec<_> = ports.iter().map(|port| (*port, *port)).collect();
    listening.sort_unstable();
    listening.dedup();
    let target = Derived::new(listed(&merged(all)), "reserved now + every listening port inside the range")
        .input("reserved now", if current.is_empty() { "none" } else { current }, &format!("/proc/sys {KEY}"))
        .input("listening", listed(&listening), "inet_diag, sockets in LISTEN");
    Change::sysctl(KEY, Some(current.to_owned()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("services that are stopped now, and UDP ports, are not in the list: add theirs")
}

fn text((low, high): &(u16, u16)) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

/// Sorts ranges and joins those that touch.
fn merged(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u16, u16)> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_joined() {
        assert_eq!(merged(vec![(8080, 8080), (1, 5), (6, 7), (3, 4)]), vec![(1, 7), (8080, 8080)]);
        assert_eq!(merged(vec![(65_535, 65_535), (1, u16::MAX)]), vec![(1, u16::MAX)]);
    }
}
