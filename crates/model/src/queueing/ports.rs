//! Ephemeral ports as servers: each outgoing connection to one destination holds one, and `TIME_WAIT` holds it on.
//!
//! The limit is per source address, destination address and destination port: the kernel gives the same local port
//! to connections towards different destinations (`__inet_hash_connect`, net/ipv4/inet_hashtables.c).

use super::input::{non_negative, positive};

/// How long a local port stays unavailable to the same destination after this side closed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortHold {
    /// The full `TIME_WAIT`, 60 s: `TCP_TIMEWAIT_LEN` in include/net/tcp.h, a constant no setting changes.
    TimeWait,
    /// With `net.ipv4.tcp_tw_reuse=1` and timestamps on both ends, 1 s: `tcp_twsk_unique` in net/ipv4/tcp_ipv4.c.
    Reused,
}

impl PortHold {
    /// Returns the time in seconds.
    pub fn seconds(self) -> f64 {
        match self {
            Self::TimeWait => 60.0,
            Self::Reused => 1.0,
        }
    }
}

/// Returns the number of ports in `ip_local_port_range` (both ends count) that are not reserved.
///
/// `reserved_in_range` counts the ports of `ip_local_reserved_ports` between the ends. `None` if the range is
/// reversed or more ports are reserved than it has (Documentation/networking/ip-sysctl.rst).
pub fn usable_ports(low: u16, high: u16, reserved_in_range: u32) -> Option<u32> {
    let range = u32::from(high).checked_sub(u32::from(low))? + 1;
    range.checked_sub(reserved_in_range)
}

/// Returns the rate of new connections to one destination that the ports sustain, P/(T + hold).
///
/// `connection_seconds` is the mean life of a connection before it is closed; zero gives the ceiling for connections
/// that are closed at once. Little 1961 with the ports as the number in the system.
pub fn sustainable_connections_per_s(
    usable_ports: u32,
    connection_seconds: f64,
    hold: PortHold,
) -> Option<f64> {
    let held_seconds = non_negative(connection_seconds)? + hold.seconds();
    Some(f64::from(usable_ports) / positive(held_seconds)?)
}

/// Returns the fraction of the usable ports held towards one destination, open or in `TIME_WAIT`.
///
/// `None` without usable ports. Above one if ports outside the range, or reserved ones, were counted as held.
pub fn port_utilization(held_ports: u32, usable_ports: u32) -> Option<f64> {
    (usable_ports > 0).then(|| f64::from(held_ports) / f64::from(usable_ports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_range_sustains_470_connections_per_second() {
        let ports = usable_ports(32_768, 60_999, 0).unwrap();
        assert_eq!(ports, 28_232);
        let rate = sustainable_connections_per_s(ports, 0.0, PortHold::TimeWait).unwrap();
        assert_eq!(rate.floor(), 470.0);
        assert_eq!(sustainable_connections_per_s(ports, 0.0, PortHold::Reused), Some(28_232.0));
    }

    #[test]
    fn reserved_ports_are_taken_off() {
        assert_eq!(usable_ports(10_240, 65_535, 6), Some(55_290));
        assert_eq!(usable_ports(5000, 5000, 0), Some(1));
        assert_eq!(usable_ports(5000, 5000, 1), Some(0));
        assert_eq!(usable_ports(5000, 5000, 2), None);
        assert_eq!(usable_ports(0, 65_535, 0), Some(65_536));
    }

    #[test]
    fn a_reversed_range_and_an_impossible_life_have_no_answer() {
        assert_eq!(usable_ports(60_999, 32_768, 0), None);
        assert_eq!(sustainable_connections_per_s(1, -1.0, PortHold::TimeWait), None);
        assert_eq!(sustainable_connections_per_s(1, f64::NAN, PortHold::TimeWait), None);
        assert_eq!(port_utilization(0, 0), None);
    }

    #[test]
    fn utilization_is_a_fraction_of_the_range() {
        assert_eq!(port_utilization(14_116, 28_232), Some(0.5));
    }

    proptest! {
        #[test]
        fn the_sustained_rate_holds_exactly_all_ports(ports in 1..65_536_u32, life in 0.0..1e4_f64) {
            for hold in [PortHold::TimeWait, PortHold::Reused] {
                let rate = sustainable_connections_per_s(ports, life, hold).unwrap();
                let held = rate * (life + hold.seconds());
                prop_assert!((held / f64::from(ports) - 1.0).abs() < 1e-12);
            }
        }
    }
}
