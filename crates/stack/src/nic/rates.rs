//! What each interface did over the window.

use model::counter::per_second;

use super::{Facts, Interface};
use crate::Span;

/// The traffic of one interface over the window. `None` where the counter is missing or went backwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates<'a> {
    /// The interface at the last reading.
    pub interface: &'a Interface,
    /// Packets received per second.
    pub receive_packets_per_s: Option<f64>,
    /// Bytes received per second.
    pub receive_bytes_per_s: Option<f64>,
    /// Bytes sent per second.
    pub transmit_bytes_per_s: Option<f64>,
    /// Packets dropped per second after they were received (`rx_dropped`): mostly protocols that nothing here speaks.
    pub receive_dropped_per_s: Option<f64>,
    /// Counters that grow when the receive ring is full, each with its source, name and rate.
    pub overflows: Vec<Overflow>,
}

/// A counter that grows when the receive ring is full.
#[derive(Debug, Clone, PartialEq)]
pub struct Overflow {
    /// Where it was read.
    pub source: &'static str,
    /// Its name.
    pub name: String,
    /// Its growth per second.
    pub per_s: f64,
}

impl Rates<'_> {
    /// The fastest counter of an overflowing receive ring; drivers count one loss under several names, so they are not
    /// added up. `None` where no such counter can be seen.
    pub fn overflow(&self) -> Option<&Overflow> {
        self.overflows.iter().max_by(|a, b| a.per_s.total_cmp(&b.per_s))
    }
}

/// The traffic of every interface.
pub fn rates<'a>(span: &Span<'a, Facts>) -> Vec<Rates<'a>> {
    let pairs = span.last.interfaces.iter().filter_map(|last| {
        let first = span.first.interfaces.iter().find(|first| first.name == last.name)?;
        Some((first, last))
    });
    pairs.map(|(first, last)| rate(first, last, span.seconds)).collect()
}

fn rate<'a>(first: &Interface, last: &'a Interface, seconds: f64) -> Rates<'a> {
    let growth = |name: &str| per_second(*first.statistics.get(name)?, *last.statistics.get(name)?, seconds);
    Rates {
        interface: last,
        receive_packets_per_s: growth("rx_packets"),
        receive_bytes_per_s: growth("rx_bytes"),
        transmit_bytes_per_s: growth("tx_bytes"),
        receive_dropped_per_s: growth("rx_dropped"),
        overflows: overflows(first, last, seconds),
    }
}

fn overflows(first: &Interface, last: &Interface, seconds: f64) -> Vec<Overflow> {
    let virtio = last.is_virtio();
    let general = ["rx_missed_errors", "rx_fifo_errors"].into_iter().filter(|_| !virtio).filter_map(|name| {
        let per_s = per_second(*first.statistics.get(name)?, *last.statistics.get(name)?, seconds)?;
        Some(Overflow { source: "/sys/class/net statistics", name: name.to_owned(), per_s })
    });
    let counts = last
        .driver_statistics
        .iter()
        .filter(|(name, _)| if virtio { is_virtio_overflow(name) } else { is_overflow(name) });
    let drivers = counts.filter_map(|(name, last)| {
        let per_s = per_second(*first.driver_statistics.get(name)?, *last, seconds)?;
        Some(Overflow { source: "ETHTOOL_GSTATS", name: name.clone(), per_s })
    });
    general.chain(drivers).collect()
}

/// Whether a driver's counter says by its name that the receive ring had no room (`rx_no_dma_resources` of ixgbe,
/// `rx_missed_errors`, `rx_out_of_buffer`-like names, `rx_discards_phy` of mlx5, `pkts rx OOB` of vmxnet3: out of buffers).
fn is_overflow(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "no_dma",
        "no_desc",
        "nodesc",
        "no_buf",
        "nobuf",
        "missed",
        "fifo",
        "discard",
        "out_of_buffer",
        "rx oob",
    ];
    let other = ["tx", "steer", "vlan", "filter", "pause", "xdp"];
    words.iter().any(|word| name.contains(word)) && !other.iter().any(|word| name.contains(word))
}

/// The only counter with which a virtio device shows an overflow to the guest: its own, where the hypervisor offers
/// `VIRTIO_NET_F_DEVICE_STATS`. Linux since 6.10 gives it as `rx-hw-drop-overruns` of the netdev family's queue statistics,
/// which are not asked here; drivers that list it among their own counters call it `rx0_hw_drop_overruns`.
fn is_virtio_overflow(name: &str) -> bool {
    name.starts_with("rx") && name.contains("drop_overruns")
}

/// Packets per second that virtio_net dropped in the guest after it took them from the ring (`rx_queue_K_drops`,
/// `rxK_drops`); `None` without such a counter.
pub fn virtio_guest_drops(span: &Span<Facts>, interface: &str) -> Option<f64> {
    let of = |facts: &Facts| -> Option<u64> {
        let found = facts.interfaces.iter().find(|found| found.name == interface)?;
        let drops = found.driver_statistics.iter().filter(|(name, _)| is_virtio_guest_drop(name));
        drops.map(|(_, count)| *count).reduce(u64::saturating_add)
    };
    per_second(of(span.first)?, of(span.last)?, span.seconds)
}

/// `rx_queue_0_drops`, and `rx0_drops` of newer kernels, whose `rx_drops` is the sum of them.
fn is_virtio_guest_drop(name: &str) -> bool {
    let queue = name.strip_prefix("rx_queue_").or_else(|| name.strip_prefix("rx"));
    let number = queue.and_then(|queue| queue.strip_suffix("_drops"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_counters_are_known_by_their_names() {
        for name in [
            "rx_no_dma_resources",
            "rx_missed_errors",
            "rx_fifo_errors",
            "rx_discards_phy",
            "rx_nodesc_drops",
            "pkts rx OOB",
        ] {
            assert!(is_overflow(name), "{name}");
        }
        for name in
            ["tx_fifo_errors", "rx_steer_missed_packets", "rx_packets", "rx_queue_0_drops", "ucast pkts rx"]
        {
            assert!(!is_overflow(name), "{name}");
        }
    }

    #[test]
    fn drops_of_virtio_queues_are_counted_once() {
        for name in ["rx_queue_0_drops", "rx_queue_11_drops", "rx0_drops"] {
            assert!(is_virtio_guest_drop(name), "{name}");
        }
        for name in ["rx_drops", "rx_xdp_drops", "rx0_xdp_drops", "rx0_hw_drops", "rx_queue_0_xdp_drops"] {
            assert!(!is_virtio_guest_drop(name), "{name}");
        }
    }
}
