//! What the counters of TCP did over the window.

use model::{Missing, Observation, counter};

use super::Facts;
use crate::Span;

/// The growth of a counter such as `TcpExt.ListenOverflows` over the window.
///
/// # Errors
/// What is missing: the counter itself, or a later reading that is not smaller.
pub fn growth(span: &Span<Facts>, name: &str) -> Result<u64, Missing> {
    let at = |facts: &Facts| facts.counters.get(name).copied();
    let (Some(first), Some(last)) = (at(span.first), at(span.last)) else {
        return Err(Missing::new(
            format!("{name} in {}", source(name)),
            "this kernel or container does not count it; read the host itself, or a newer kernel",
        ));
    };
    counter::growth(first, last).ok_or_else(|| {
        Missing::new(
            format!("the growth of {name}: it went from {first} to {last}"),
            "the counter was reset within the window; read the host again",
        )
    })
}

/// The growth of a counter per second.
///
/// # Errors
/// As [`growth`].
#[expect(clippy::cast_precision_loss, reason = "counts of a window")]
pub fn per_second(span: &Span<Facts>, name: &str) -> Result<f64, Missing> {
    Ok(growth(span, name)? as f64 / span.seconds)
}

/// A counter's growth per second as an observation.
pub fn seen_per_second(name: &str, per_s: f64) -> Observation {
    Observation::new(source(name), format!("{name} growth"), per_s).unit("/s")
}

/// The file that holds a counter.
pub fn source(name: &str) -> &'static str {
    match name.split('.').next() {
        Some("Tcp" | "Ip" | "Icmp" | "Udp" | "UdpLite" | "IcmpMsg") => "/proc/net/snmp",
        _ => "/proc/net/netstat",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(value: u64) -> Facts {
        Facts { counters: [("TcpExt.ListenDrops".to_owned(), value)].into(), ..Facts::default() }
    }

    #[test]
    fn growth_is_the_difference_and_nothing_else() {
        let (first, last) = (facts(5), facts(25));
        let span = Span { first: &first, last: &last, seconds: 10.0 };
        assert_eq!(per_second(&span, "TcpExt.ListenDrops"), Ok(2.0));
        assert!(growth(&span, "Tcp.Absent").unwrap_err().what.contains("/proc/net/snmp"));
    }

    #[test]
    fn a_counter_that_went_backwards_is_missing_evidence() {
        let (first, last) = (facts(25), facts(5));
        let span = Span { first: &first, last: &last, seconds: 10.0 };
        assert!(growth(&span, "TcpExt.ListenDrops").is_err());
    }
}
