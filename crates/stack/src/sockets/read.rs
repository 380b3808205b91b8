//! Reads sockets over `sock_diag`, and the counters of TCP in `/proc/net`.

use std::collections::BTreeMap;

use host::kernel::{Family, TcpTable};
use host::{Host, HostError, text};
use model::Unread;

use super::Facts;

/// The local port range of a kernel that was not told otherwise (`inet_init_net` in `net/ipv4/af_inet.c`).
pub const DEFAULT_PORT_RANGE: (u16, u16) = (32_768, 60_999);

/// Named numbers of one file, and how much of it could not be understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// The numbers, as `TcpExt.ListenOverflows` or `TCP.tw`.
    pub values: BTreeMap<String, u64>,
    /// Lines or fields that were skipped.
    pub skipped: u64,
}

/// Reads the layer at this instant.
///
/// # Errors
/// When neither `/proc/net/netstat` nor `snmp` nor `sockstat` can be read. Sockets that cannot be listed only leave
/// their part out, with the reason.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let netstat = host.read("/proc/net/netstat");
    let snmp = host.read("/proc/net/snmp");
    let sockstat = host.read("/proc/net/sockstat");
    if let (Err(error), Err(_), Err(_)) = (&netstat, &snmp, &sockstat) {
        return Err(error.unread());
    }
    let mut facts = Facts::default();
    for counters in [netstat, snmp].iter().flatten().map(|bytes| parse_counters(bytes)) {
        facts.counters.extend(counters.values);
        facts.skipped = facts.skipped.saturating_add(counters.skipped);
    }
    let sockstat6 = host.read("/proc/net/sockstat6");
    for sockets in [sockstat, sockstat6].iter().flatten().map(|bytes| parse_sockstat(bytes)) {
        facts.sockstat.extend(sockets.values);
        facts.skipped = facts.skipped.saturating_add(sockets.skipped);
    }
    (facts.listeners, facts.listeners_unread) = or_why(host.listeners());
    (facts.tcp, facts.tcp_unread) = or_why(host.tcp_table(port_range(host)));
    facts.unread = without_modules(&facts);
    Ok(facts)
}

/// A stock Debian kernel has `sock_diag` in modules that the first query loads; a reading loads none, and reads
/// `/proc/net`, which has neither the limits of listen queues nor `tcp_info`.
fn without_modules(facts: &Facts) -> Vec<Unread> {
    let listeners = facts.listeners.iter().flatten();
    let without_limit: Vec<_> =
        listeners.filter(|each| each.backlog.is_none()).map(|each| each.family).collect();
    let connected = |tcp: &TcpTable| tcp.states.get("established").is_some_and(|count| *count > 0);
    let mut unread = Vec::new();
    if without_limit.iter().any(|family| *family != Family::Unix) {
        unread.push(Unread::new(
            "the limits of TCP listen queues: the kernel has not loaded tcp_diag, and a reading loads no module",
            "modprobe tcp_diag",
        ));
    }
    if without_limit.contains(&Family::Unix) {
        unread.push(Unread::new(
            "the limits of Unix listen queues: the kernel has not loaded unix_diag, and a reading loads no module",
            "modprobe unix_diag",
        ));
    }
    if facts.tcp.as_ref().is_some_and(|tcp| connected(tcp) && tcp.totals.is_none()) {
        unread.push(Unread::new(
            "round trips and buffers of TCP connections: the kernel has not loaded tcp_diag, and a reading loads no module",
            "modprobe tcp_diag",
        ));
    }
    unread
}

fn or_why<T>(answer: Result<T, HostError>) -> (Option<T>, Option<Unread>) {
    match answer {
        Ok(answer) => (Some(answer), None),
        Err(error) => (None, Some(error.unread())),
    }
}

fn port_range(host: &dyn Host) -> (u16, u16) {
    let text = host.value("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    parse_port_range(text.as_bytes()).unwrap_or(DEFAULT_PORT_RANGE)
}

/// Parses `ip_local_port_range`: both ends, included. `None` for anything but two ports in order.
pub fn parse_port_range(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut words = text::words(bytes).map(|word| u16::try_from(text::decimal(word)?).ok());
    let (low, high) = (words.next()??, words.next()??);
    (low <= high && words.next().is_none()).then_some((low, high))
}

/// Parses the ports of `ip_local_reserved_ports` (`8080,9000-9100`), as ranges with both ends included.
/// They are in order, and those that touch are joined. Parts that are no ports are left out.
pub fn parse_port_list(bytes: &[u8]) -> Vec<(u16, u16)> {
    let port = |word: &[u8]| u16::try_from(text::decimal(word.trim_ascii())?).ok();
    let part = |part: &[u8]| {
        let mut ends = part.splitn(2, |byte| *byte == b'-').map(port);
        let low = ends.next()??;
        let high = ends.next().unwrap_or(Some(low))?;
        (low <= high).then_some((low, high))
    };
    joined(bytes.split(|byte| *byte == b',').filter_map(part).collect())
}

/// Sorts ranges of ports and joins those that touch.
pub(super) fn joined(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
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

/// Parses `/proc/net/netstat` and `/proc/net/snmp`: a line of names, then a line of values with the same prefix.
///
/// Negative values (`Tcp.MaxConn` is -1) are left out. A line without its partner, a name without a value, or a value
/// that is no number is counted in `skipped`.
pub fn parse_counters(bytes: &[u8]) -> Counters {
    let mut counters = Counters::default();
    let mut names: Option<(&[u8], &[u8])> = None;
    for (_, _, line) in text::lines(bytes).filter(|(_, _, line)| !line.trim_ascii().is_empty()) {
        let Some((prefix, rest)) = split_prefix(line) else {
            counters.skipped += 1;
            continue;
        };
        match names.take() {
            Some((of, header)) if of == prefix => add_pairs(&mut counters, prefix, header, rest),
            Some(_) => {
                counters.skipped += 1;
                names = Some((prefix, rest));
            }
            None => names = Some((prefix, rest)),
        }
    }
    counters.skipped += u64::from(names.is_some());
    counters
}

fn add_pairs(counters: &mut Counters, prefix: &[u8], header: &[u8], values: &[u8]) {
    let (mut names, mut values) = (text::words(header), text::words(values));
    loop {
        match (names.next(), values.next()) {
            (None, None) => return,
            (Some(_), Some([b'-', digits @ ..])) if text::decimal(digits).is_some() => {}
            (Some(name), Some(value)) => add(counters, prefix, name, value),
            _ => counters.skipped += 1,
        }
    }
}

/// Parses `/proc/net/sockstat` and `sockstat6`: a prefix, then names and values in turn.
pub fn parse_sockstat(bytes: &[u8]) -> Counters {
    let mut counters = Counters::default();
    for (_, _, line) in text::lines(bytes).filter(|(_, _, line)| !line.trim_ascii().is_empty()) {
        let Some((prefix, rest)) = split_prefix(line) else {
            counters.skipped += 1;
            continue;
        };
        let mut words = text::words(rest);
        while let Some(name) = words.next() {
            match words.next() {
                Some(value) => add(&mut counters, prefix, name, value),
                None => counters.skipped += 1,
            }
        }
    }
    counters
}

fn split_prefix(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (prefix, rest) = line.split_at_checked(colon)?;
    let named = !prefix.is_empty() && prefix.iter().all(u8::is_ascii_alphanumeric);
    named.then_some((prefix, rest.get(1..)?))
}

fn add(counters: &mut Counters, prefix: &[u8], name: &[u8], value: &[u8]) {
    match text::decimal(value) {
        Some(value) => {
            let key = format!("{}.{}", text::string(prefix), text::string(name));
            counters.values.insert(key, value);
        }
        None => counters.skipped += 1,
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn what_needs_a_module_that_is_not_loaded_is_named_with_the_way_to_load_it() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/net/sockstat", "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 0\n");
        let listeners = r#"[{"family":"inet4","local":"0.0.0.0:80","port":80,"waiting":0},
            {"family":"unix","local":"/run/php.sock","waiting":0}]"#;
        tree.put(0, "/.narrows/listeners.json", listeners);
        tree.put(0, "/.narrows/tcp.json", r#"{"states":{"established":3}}"#);
        let ways = |tree: &Tree| -> Vec<String> {
            read(&tree.at(0)).unwrap().unread.into_iter().map(|unread| unread.how_to_enable).collect()
        };
        assert_eq!(ways(&tree), ["modprobe tcp_diag", "modprobe unix_diag", "modprobe tcp_diag"]);
        let limited = listeners.replace("\"waiting\"", "\"backlog\":511,\"waiting\"");
        tree.put(0, "/.narrows/listeners.json", limited);
        tree.put(0, "/.narrows/tcp.json", r#"{"states":{"established":0}}"#);
        assert!(ways(&tree).is_empty());
    }

    /// From Linux 6.18, shortened.
    const SNMP: &[u8] = b"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens\n\
        Tcp: 1 200 120000 -1 940 827\nUdp: InDatagrams NoPorts\nUdp: 62 0\n";

    #[test]
    fn names_and_values_are_paired_and_a_limit_of_minus_one_is_left_out() {
        let counters = parse_counters(SNMP);
        assert_eq!(counters.values.get("Tcp.PassiveOpens"), Some(&827));
        assert_eq!(counters.values.get("Udp.NoPorts"), Some(&0));
        assert_eq!((counters.values.get("Tcp.MaxConn"), counters.skipped), (None, 0));
    }

    #[test]
    fn a_torn_file_keeps_what_is_whole_and_counts_the_rest() {
        let counters =
            parse_counters(b"TcpExt: A B C\nTcpExt: 1 x\nIpExt: D\nnoise\n\xff\xfe: 1\nTcp: E\nTcp: 7\n");
        assert_eq!(counters.values.get("TcpExt.A"), Some(&1));
        assert_eq!(counters.values.get("Tcp.E"), Some(&7));
        assert_eq!(counters.values.len(), 2);
        assert_eq!(counters.skipped, 5, "x, the value of C, IpExt, and two lines without a prefix");
    }

    #[test]
    fn sockstat_is_read_by_protocol_and_name() {
        let sockets = parse_sockstat(
            b"sockets: used 32\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 87\nUDPLITE: inuse\nTCP6: inuse 5\n",
        );
        assert_eq!(sockets.values.get("sockets.used"), Some(&32));
        assert_eq!(sockets.values.get("TCP.orphan"), Some(&2));
        assert_eq!(sockets.values.get("TCP6.inuse"), Some(&5));
        assert_eq!(sockets.skipped, 1);
    }

    #[test]
    fn port_ranges_and_lists_are_ports_in_order() {
        assert_eq!(parse_port_range(b"32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!(parse_port_range(b"60999 32768"), None);
        assert_eq!(parse_port_range(b"1 70000"), None);
        assert_eq!(parse_port_list(b"9000-9100,8080,x,70000,5-3"), vec![(8080, 8080), (9000, 9100)]);
        assert_eq!(parse_port_list(b""), vec![]);
    }

    #[test]
    fn ranges_that_touch_are_joined() {
        assert_eq!(joined(vec![(8080, 8080), (1, 5), (6, 7), (3, 4)]), vec![(1, 7), (8080, 8080)]);
        assert_eq!(joined(vec![(65_535, 65_535), (1, u16::MAX)]), vec![(1, u16::MAX)]);
    }

    #[test]
    fn sockets_that_cannot_be_listed_leave_the_counters_readable() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/net/snmp", SNMP);
        let facts = read(&tree.at(0)).unwrap();
        assert!(facts.listeners.is_none() && facts.listeners_unread.is_some() && facts.tcp_unread.is_some());
        assert!(facts.counters.contains_key("Tcp.ActiveOpens"));
    }

    #[test]
    fn a_host_without_any_of_the_three_files_was_not_read() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/net/sockstat6", "TCP6: inuse 5\n");
        assert!(read(&tree.at(0)).unwrap_err().why.contains("/proc/net/netstat"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_counters(&bytes);
            parse_sockstat(&bytes);
            parse_port_range(&bytes);
            parse_port_list(&bytes);
        }
    }
}
