//! Links and queueing disciplines by `NETLINK_ROUTE`.
//!
//! Layouts: `include/uapi/linux/{if_link,rtnetlink,pkt_sched,gen_stats}.h`, man 7 rtnetlink.

use std::collections::HashMap;

use rustix::net::Protocol;

use super::netlink::{Attributes, Message, Netlink, encode_attribute, text, u32_at, u64_at};
use super::{KernelError, Link, Qdisc};

/// Protocol 0, which rustix spells as none.
const ROUTE: Option<Protocol> = None;

const RTM_GETLINK: u16 = 18;
const RTM_GETQDISC: u16 = 38;

const LINK_HEADER_BYTES: usize = 16;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_TXQLEN: u16 = 13;
const IFLA_LINKINFO: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_INFO_KIND: u16 = 1;
const IFF_UP: u32 = 1;
/// Asks the kernel not to collect interface statistics, the costly part of a link dump.
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

const TRAFFIC_CONTROL_HEADER_BYTES: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STATS: u16 = 3;
const TCA_STATS2: u16 = 7;
const TCA_STATS_BASIC: u16 = 1;
const TCA_STATS_QUEUE: u16 = 3;
const TCA_STATS_PKT64: u16 = 8;
const TC_H_ROOT: u32 = 0xffff_ffff;
const TC_H_INGRESS: u32 = 0xffff_fff1;

const TCA_CODEL_LIMIT: u16 = 2;
const TCA_FQ_CODEL_LIMIT: u16 = 2;
const TCA_FQ_PLIMIT: u16 = 1;
const TCA_CAKE_BASE_RATE64: u16 = 2;
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
/// `struct tc_ratespec` ends with its rate.
const RATESPEC_RATE: usize = 8;
const BITS_PER_BYTE: u64 = 8;

/// A dump that the kernel marks as interrupted is asked for again this often.
const ATTEMPTS: usize = 4;

const LINKS_QUERY: &str = "rtnetlink dump of links";
const QDISCS_QUERY: &str = "rtnetlink dump of queueing disciplines";

/// Asks for every network interface of the calling thread's network namespace.
///
/// # Errors
/// What the kernel answers; `EAGAIN` when the set of links kept changing while it was read.
pub fn links() -> Result<Vec<Link>, KernelError> {
    let mut request = vec![0; LINK_HEADER_BYTES];
    encode_attribute(&mut request, IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    dump(LINKS_QUERY, RTM_GETLINK, &request, &mut parse_link)
}

/// Asks for every queueing discipline in the calling thread's network namespace, `noqueue` included.
///
/// Those of an interface that vanished meanwhile are left out.
///
/// # Errors
/// What the kernel answers; `EAGAIN` when the table kept changing while it was read.
pub fn qdiscs() -> Result<Vec<Qdisc>, KernelError> {
    let mut found = dump(QDISCS_QUERY, RTM_GETQDISC, &[0; TRAFFIC_CONTROL_HEADER_BYTES], &mut parse_qdisc)?;
    let names: HashMap<u32, String> = links()?.into_iter().map(|link| (link.index, link.name)).collect();
    found.retain_mut(|qdisc| match names.get(&qdisc.index) {
        Some(name) => {
            qdisc.interface.clone_from(name);
            true
        }
        None => false,
    });
    Ok(found)
}

/// Asks whether an interface of that name exists. Unlike the ioctls that take a name, this never makes the
/// kernel load a module `netdev-NAME` (`dev_load` in `net/core/dev_ioctl.c`).
pub(super) fn require_link(query: &str, name: &str) -> Result<(), KernelError> {
    let mut request = vec![0; LINK_HEADER_BYTES];
    let mut terminated = name.as_bytes().to_vec();
    terminated.push(0);
    encode_attribute(&mut request, IFLA_IFNAME, &terminated);
    Netlink::open(query, ROUTE)?.get(query, RTM_GETLINK, &request, &mut |_| Ok(()))
}

fn dump<T>(
    query: &str,
    kind: u16,
    request: &[u8],
    parse: &mut dyn FnMut(&str, &Message<'_>) -> Result<T, KernelError>,
) -> Result<Vec<T>, KernelError> {
    let mut netlink = Netlink::open(query, ROUTE)?;
    for _ in 0..ATTEMPTS {
        let mut found = Vec::new();
        let interrupted = netlink.dump(query, kind, request, &mut |message| {
            found.push(parse(query, message)?);
            Ok(())
        })?;
        if !interrupted {
            return Ok(found);
        }
    }
    Err(KernelError::from_errno(query, rustix::io::Errno::AGAIN))
}

/// Reads `struct ifinfomsg` with its attributes.
fn parse_link(query: &str, message: &Message<'_>) -> Result<Link, KernelError> {
    let bad = |at: usize| KernelError::malformed(query, message.offset.saturating_add(at));
    let bytes = message.payload;
    let attributes = bytes.get(LINK_HEADER_BYTES..).ok_or_else(|| bad(bytes.len()))?;
    let index = u32_at(bytes, 4).ok_or_else(|| bad(4))?;
    let flags = u32_at(bytes, 8).ok_or_else(|| bad(8))?;
    let (mut name, mut kind) = (None, None);
    let (mut mtu, mut transmit_queue_length, mut receive_queues, mut transmit_queues) = (0, 0, 0, 0);
    for attribute in Attributes::new(attributes) {
        let (attribute, value) = attribute.map_err(|at| bad(LINK_HEADER_BYTES.saturating_add(at)))?;
        let number = || u32_at(value, 0).ok_or_else(|| bad(LINK_HEADER_BYTES));
        match attribute {
            IFLA_IFNAME => name = Some(text(value)),
            IFLA_MTU => mtu = number()?,
            IFLA_TXQLEN => transmit_queue_length = number()?,
            IFLA_NUM_RX_QUEUES => receive_queues = number()?,
            IFLA_NUM_TX_QUEUES => transmit_queues = number()?,
            IFLA_LINKINFO => kind = nested(value, IFLA_INFO_KIND).map(text),
            _ => {}
        }
    }
    let name = name.ok_or_else(|| bad(LINK_HEADER_BYTES))?;
    let up = flags & IFF_UP != 0;
    Ok(Link { index, name, kind, up, mtu, transmit_queue_length, receive_queues, transmit_queues })
}

/// Reads `struct tcmsg` with its attributes; the interface is known by its index only.
fn parse_qdisc(query: &str, message: &Message<'_>) -> Result<Qdisc, KernelError> {
    let bad = |at: usize| KernelError::malformed(query, message.offset.saturating_add(at));
    let bytes = message.payload;
    let attributes = bytes.get(TRAFFIC_CONTROL_HEADER_BYTES..).ok_or_else(|| bad(bytes.len()))?;
    let word = |at| u32_at(bytes, at).ok_or_else(|| bad(at));
    let mut qdisc = Qdisc {
        interface: String::new(),
        index: word(4)?,
        kind: String::new(),
        handle: format!("{:x}:", word(8)? >> 16),
        parent: parent(word(12)?),
        backlog_bytes: 0,
        backlog_packets: 0,
        drops: 0,
        overlimits: 0,
        requeues: 0,
        bytes: 0,
        packets: 0,
        limit_packets: None,
        bandwidth_bits_per_s: None,
    };
    let (mut options, mut statistics) = (None, None);
    for attribute in Attributes::new(attributes) {
        match attribute.map_err(|at| bad(TRAFFIC_CONTROL_HEADER_BYTES.saturating_add(at)))? {
            (TCA_KIND, value) => qdisc.kind = text(value),
            (TCA_OPTIONS, value) => options = Some(value),
            (TCA_STATS2, value) => statistics = read_statistics(&mut qdisc, value),
            (TCA_STATS, value) if statistics.is_none() => statistics = read_old_statistics(&mut qdisc, value),
            _ => {}
        }
    }
    statistics.ok_or_else(|| bad(TRAFFIC_CONTROL_HEADER_BYTES))?;
    if let Some(options) = options {
        (qdisc.limit_packets, qdisc.bandwidth_bits_per_s) = limits(&qdisc.kind, options);
    }
    Ok(qdisc)
}

fn parent(parent: u32) -> String {
    match parent {
        TC_H_ROOT => "root".to_owned(),
        TC_H_INGRESS => "ingress".to_owned(),
        parent => format!("{:x}:{:x}", parent >> 16, parent & 0xffff),
    }
}

/// The first nested attribute of that type. A broken nest ends where it breaks.
fn nested(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    Attributes::new(bytes).map_while(Result::ok).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// `TCA_STATS2`: `struct gnet_stats_basic` and `struct gnet_stats_queue`, and the packets in 64 bits if the
/// 32 of the former do not hold them.
fn read_statistics(qdisc: &mut Qdisc, value: &[u8]) -> Option<()> {
    let basic = nested(value, TCA_STATS_BASIC)?;
    qdisc.bytes = u64_at(basic, 0)?;
    qdisc.packets = match nested(value, TCA_STATS_PKT64) {
        Some(packets) => u64_at(packets, 0)?,
        None => u32_at(basic, 8)?.into(),
    };
    let queue = nested(value, TCA_STATS_QUEUE)?;
    qdisc.backlog_packets = u32_at(queue, 0)?.into();
    qdisc.backlog_bytes = u32_at(queue, 4)?.into();
    qdisc.drops = u32_at(queue, 8)?.into();
    qdisc.requeues = u32_at(queue, 12)?.into();
    qdisc.overlimits = u32_at(queue, 16)?.into();
    Some(())
}

/// `TCA_STATS`: `struct tc_stats`, which has no requeues.
fn read_old_statistics(qdisc: &mut Qdisc, value: &[u8]) -> Option<()> {
    qdisc.bytes = u64_at(value, 0)?;
    qdisc.packets = u32_at(value, 8)?.into();
    qdisc.drops = u32_at(value, 12)?.into();
    qdisc.overlimits = u32_at(value, 16)?.into();
    qdisc.backlog_packets = u32_at(value, 28)?.into();
    qdisc.backlog_bytes = u32_at(value, 32)?.into();
    Some(())
}

/// What a kind's options say of its limit in packets and its rate in bits per second.
fn limits(kind: &str, options: &[u8]) -> (Option<u32>, Option<u64>) {
    let limit = |attribute| u32_at(nested(options, attribute)?, 0);
    match kind {
        "pfifo" | "pfifo_head_drop" => (u32_at(options, 0), None),
        "netem" => (u32_at(options, 4), None),
        "codel" => (limit(TCA_CODEL_LIMIT), None),
        "fq_codel" => (limit(TCA_FQ_CODEL_LIMIT), None),
        "fq" => (limit(TCA_FQ_PLIMIT), None),
        "cake" => (None, nested(options, TCA_CAKE_BASE_RATE64).and_then(|rate| bits(u64_at(rate, 0)?))),
        "tbf" => (None, token_bucket_rate(options).and_then(bits)),
        _ => (None, None),
    }
}

/// `TCA_TBF_RATE64` is present only for rates beyond 32 bits.
fn token_bucket_rate(options: &[u8]) -> Option<u64> {
    match nested(options, TCA_TBF_RATE64) {
        Some(rate) => u64_at(rate, 0),
        None => u32_at(nested(options, TCA_TBF_PARMS)?, RATESPEC_RATE).map(u64::from),
    }
}

fn bits(bytes_per_s: u64) -> Option<u64> {
    (bytes_per_s != 0).then(|| bytes_per_s.saturating_mul(BITS_PER_BYTE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::netlink::encode_attribute as put;
    use super::super::testing::NetworkNamespace;
    use super::*;

    fn message(payload: &[u8]) -> Message<'_> {
        Message { kind: RTM_GETQDISC, flags: 0, sequence: 1, payload, offset: 16 }
    }

    fn namespace_with_veth() -> NetworkNamespace {
        let namespace = NetworkNamespace::new();
        namespace.ip(&["link", "add", "inner", "mtu", "1400", "type", "veth", "peer", "name", "outer"]);
        namespace.ip(&["link", "set", "inner", "txqueuelen", "77", "up"]);
        namespace
    }

    #[test]
    fn lo_has_a_link() {
        let links = links().unwrap();
        let lo = links.iter().find(|link| link.name == "lo").unwrap();
        assert_eq!((lo.index, lo.kind.as_deref(), lo.mtu), (1, None, 65536));
        assert!(lo.receive_queues >= 1 && lo.transmit_queues >= 1);
    }

    #[test]
    fn a_veth_tells_its_kind_size_and_queue() {
        let links = namespace_with_veth().run(links).unwrap();
        let inner = links.iter().find(|link| link.name == "inner").unwrap();
        assert_eq!((inner.kind.as_deref(), inner.mtu, inner.transmit_queue_length), (Some("veth"), 1400, 77));
        assert!(inner.up && !links.iter().any(|link| link.name == "outer" && link.up));
    }

    #[test]
    fn a_veth_in_a_fresh_namespace_has_its_queueing_discipline() {
        let namespace = namespace_with_veth();
        namespace
            .tc(&["qdisc", "replace", "dev", "inner", "root", "handle", "8001:", "pfifo", "limit", "33"]);
        let found = namespace.run(qdiscs).unwrap();
        let inner = found.iter().find(|qdisc| qdisc.interface == "inner").unwrap();
        assert_eq!(
            (inner.kind.as_str(), inner.handle.as_str(), inner.parent.as_str()),
            ("pfifo", "8001:", "root")
        );
        assert_eq!((inner.limit_packets, inner.bandwidth_bits_per_s), (Some(33), None));
        let lo = found.iter().find(|qdisc| qdisc.interface == "lo").unwrap();
        assert_eq!((lo.kind.as_str(), lo.index), ("noqueue", 1));
    }

    #[test]
    fn an_interface_that_does_not_exist_is_enodev() {
        let error = require_link("test", "no-such-link").unwrap_err();
        let KernelError::Io { source, .. } = error else { panic!("{error}") };
        assert_eq!(source.raw_os_error(), Some(libc::ENODEV));
    }

    fn qdisc_message(kind: &[u8], options: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        for word in [0, 2, 0x8001_0000_u32, 0x0001_0002, 0] {
            payload.extend_from_slice(&word.to_ne_bytes());
        }
        put(&mut payload, TCA_KIND, kind);
        put(&mut payload, TCA_OPTIONS, options);
        let mut statistics = Vec::new();
        put(&mut statistics, TCA_STATS_BASIC, &[500_u64.to_ne_bytes(), 5_u64.to_ne_bytes()].concat());
        let queue: Vec<u8> = [1_u32, 2, 3, 4, 6].iter().flat_map(|word| word.to_ne_bytes()).collect();
        put(&mut statistics, TCA_STATS_QUEUE, &queue);
        put(&mut payload, TCA_STATS2 | 0x8000, &statistics);
        payload
    }

    #[test]
    fn every_counter_is_read_from_its_place() {
        let mut options = Vec::new();
        put(&mut options, TCA_CAKE_BASE_RATE64, &1_250_000_u64.to_ne_bytes());
        let payload = qdisc_message(b"cake\0", &options);
        let qdisc = parse_qdisc("test", &message(&payload)).unwrap();
        assert_eq!((qdisc.handle.as_str(), qdisc.parent.as_str()), ("8001:", "1:2"));
        assert_eq!((qdisc.bytes, qdisc.packets), (500, 5));
        assert_eq!((qdisc.backlog_packets, qdisc.backlog_bytes), (1, 2));
        assert_eq!((qdisc.drops, qdisc.requeues, qdisc.overlimits), (3, 4, 6));
        assert_eq!(qdisc.bandwidth_bits_per_s, Some(10_000_000));
    }

    #[test]
    fn each_kind_states_its_limit_in_its_own_place() {
        let words = |list: [u32; 3]| list.map(u32::to_ne_bytes).concat();
        assert_eq!(limits("pfifo", &words([33, 0, 0])), (Some(33), None));
        assert_eq!(limits("bfifo", &words([33, 0, 0])), (None, None));
        assert_eq!(limits("netem", &words([9, 44, 9])), (Some(44), None));
        let mut options = Vec::new();
        put(&mut options, 1, &55_u32.to_ne_bytes());
        put(&mut options, 2, &66_u32.to_ne_bytes());
        assert_eq!(limits("fq", &options), (Some(55), None));
        assert_eq!(limits("codel", &options), (Some(66), None));
        assert_eq!(limits("fq_codel", &options), (Some(66), None));
    }

    #[test]
    fn a_token_bucket_prefers_its_rate_in_64_bits() {
        let mut parameters = [0; 36];
        parameters[RATESPEC_RATE..RATESPEC_RATE + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        let mut options = Vec::new();
        put(&mut options, TCA_TBF_PARMS, &parameters);
        assert_eq!(limits("tbf", &options), (None, Some(u64::from(u32::MAX) * 8)));
        put(&mut options, TCA_TBF_RATE64, &5_000_000_000_u64.to_ne_bytes());
        assert_eq!(limits("tbf", &options), (None, Some(40_000_000_000)));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_link("test", &message(&bytes));
            let _ = parse_qdisc("test", &message(&bytes));
        }

        #[test]
        fn garbage_options_never_panic(kind in "pfifo|netem|codel|fq_codel|fq|cake|tbf", options in prop::collection::vec(0_u8..9, 0..80)) {
            let _ = parse_qdisc("test", &message(&qdisc_message(kind.as_bytes(), &options)));
        }

        #[test]
        fn a_link_is_read_back(index: u32, up: bool, name in "[a-z0-9.]{1,15}", mtu: u32, queues: u32) {
            let mut payload = Vec::new();
            for word in [0, index, u32::from(up), 0] {
                payload.extend_from_slice(&word.to_ne_bytes());
            }
            put(&mut payload, IFLA_IFNAME, name.as_bytes());
            put(&mut payload, IFLA_MTU, &mtu.to_ne_bytes());
            put(&mut payload, IFLA_NUM_RX_QUEUES, &queues.to_ne_bytes());
            let link = parse_link("test", &message(&payload)).unwrap();
            prop_assert_eq!((link.index, link.up, link.name, link.mtu, link.receive_queues), (index, up, name, mtu, queues));
        }
    }
}
