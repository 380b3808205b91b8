//! Keeping ports of services out of the range that connect() chooses from.

use model::{Change, Derived};

use super::read::{joined, parse_port_list};
use crate::Evidence;

const KEY: &str = "net.ipv4.ip_local_reserved_ports";

/// Reserves ports, in addition to those reserved already.
pub(super) fn change(evidence: &Evidence, ports: &[u16]) -> Change {
    let current = evidence.settings.value(KEY).unwrap_or_default();
    let mut all = parse_port_list(current.as_bytes());
    all.extend(ports.iter().map(|port| (*port, *port)));
    let listed = |ports: &[(u16, u16)]| ports.iter().map(text).collect::<Vec<_>>().join(",");
    let listening = joined(ports.iter().map(|port| (*port, *port)).collect());
    let target = Derived::new(listed(&joined(all)), "reserved now + every listening port inside the range")
        .input("reserved now", if current.is_empty() { "none" } else { current }, &format!("/proc/sys {KEY}"))
        .input("listening", listed(&listening), "inet_diag, sockets in LISTEN");
    Change::sysctl(KEY, Some(current.to_owned()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("services that are stopped now, and UDP ports, are not in the list: add theirs")
}

fn text((low, high): &(u16, u16)) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}
