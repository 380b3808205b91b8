//! TCP sockets from the text of `/proc/net/tcp` and `/proc/net/tcp6`, for when asking `sock_diag` would load a
//! module.
//!
//! Knows no backlog and no `tcp_info`. For a listening socket the kernel prints its accept queue as `rx_queue`
//! and 0 as `tx_queue` (`get_tcp4_sock` in `net/ipv4/tcp_ipv4.c`). Reading these files costs the kernel more
//! than `sock_diag`: not for a tight loop on a busy host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str;

use super::ports::Ports;
use super::tcp_table::{LISTEN, Socket, TableBuilder};
use super::{Family, FromProc, Listener, TcpTable};

const IPV4_DIGITS: usize = 8;
const IPV6_DIGITS: usize = 32;

/// The unit of `tm->when`: `USER_HZ`, 100 to the second on every architecture but Alpha.
const TICK_MS: u32 = 10;

struct Line {
    socket: Socket,
    receive_queue: u32,
    inode: u64,
}

/// Reads the listening sockets from the text of either file. `waiting` is the accept queue; there is no backlog.
#[must_use]
pub fn listeners(text: &[u8]) -> FromProc<Vec<Listener>> {
    let mut lines_skipped = 0_u64;
    let mut answer = Vec::new();
    for line in lines(text) {
        match line {
            Some(line) if line.socket.state == LISTEN => answer.push(listener(&line)),
            Some(_) => {}
            None => lines_skipped = lines_skipped.saturating_add(1),
        }
    }
    FromProc { answer, lines_skipped }
}

/// Summarizes all TCP sockets from the texts of `/proc/net/tcp` and `/proc/net/tcp6`.
///
/// `busy` and `totals` stay empty. `ephemeral` is `net.ipv4.ip_local_port_range`, both ends included.
#[must_use]
pub fn tcp_table(tcp: &[u8], tcp6: &[u8], ephemeral: (u16, u16)) -> FromProc<TcpTable> {
    let mut listening = Ports::new();
    for line in lines(tcp).chain(lines(tcp6)).flatten().filter(|line| line.socket.state == LISTEN) {
        listening.insert(line.socket.local.port());
    }
    let mut table = TableBuilder::new(ephemeral, listening);
    let mut lines_skipped = 0_u64;
    for line in lines(tcp).chain(lines(tcp6)) {
        match line {
            Some(line) => table.add(&line.socket),
            None => lines_skipped = lines_skipped.saturating_add(1),
        }
    }
    FromProc { answer: table.finish(false), lines_skipped }
}

fn listener(line: &Line) -> Listener {
    let local = line.socket.local;
    Listener {
        family: if local.is_ipv4() { Family::Inet4 } else { Family::Inet6 },
        local: local.to_string(),
        port: Some(local.port()),
        inode: line.inode,
        waiting: line.receive_queue,
        backlog: None,
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = Option<Line>> {
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"sl"))
        .map(|line| parse(str::from_utf8(line).ok()?))
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`
fn parse(line: &str) -> Option<Line> {
    let mut fields = line.split_ascii_whitespace();
    fields.next()?.strip_suffix(':')?;
    let local = endpoint(fields.next()?)?;
    let remote = endpoint(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let (_, receive_queue) = fields.next()?.split_once(':')?;
    let receive_queue = u32::from_str_radix(receive_queue, 16).ok()?;
    let (_, ticks) = fields.next()?.split_once(':')?;
    let expires_ms = u32::from_str_radix(ticks, 16).ok().and_then(|ticks| ticks.checked_mul(TICK_MS));
    let inode = fields.nth(3)?.parse().ok()?;
    let socket = Socket { state, local, remote, detail: None, expires_ms };
    Some(Line { socket, receive_queue, inode })
}

/// The address is printed as native-endian words of the network-order bytes, the port as a number.
fn endpoint(field: &str) -> Option<SocketAddr> {
    let (address, port) = field.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at..at.saturating_add(IPV4_DIGITS))?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip: IpAddr = match address.len() {
        IPV4_DIGITS => Ipv4Addr::from(word(0)?).into(),
        IPV6_DIGITS => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            Ipv6Addr::from(*words.as_flattened().first_chunk::<16>()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TCP: &[u8] = b"\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4711 1 ffff888 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 ffff888 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 ffff888 20 4 30 10 -1
   3: 0A00020F:C351 0808080A:0CEA 06 00000000:00000000 03:00000B2D 00000000     0        0 0 3 ffff888
   4: 0A00020F:zzzz 0808080A:0CEA 06
";

    #[cfg(target_endian = "little")]
    #[test]
    fn a_listener_shows_its_accept_queue_and_no_backlog() {
        let read = listeners(TCP);
        let expected = Listener {
            family: Family::Inet4,
            local: "127.0.0.1:8080".to_owned(),
            port: Some(8080),
            inode: 4711,
            waiting: 3,
            backlog: None,
        };
        assert_eq!(read, FromProc { answer: vec![expected], lines_skipped: 1 });
    }

    #[test]
    fn sockets_are_told_apart_by_listening_port() {
        let FromProc { answer, lines_skipped } = tcp_table(TCP, b"", (32768, 60999));
        assert_eq!(lines_skipped, 1);
        assert_eq!((answer.services[0].port, answer.services[0].established), (8080, 1));
        let ports: Vec<_> =
            answer.destinations.iter().map(|to| (to.port, to.established, to.time_wait)).collect();
        assert_eq!(ports, [(3306, 0, 1), (8080, 1, 0)]);
        assert_eq!(
            (answer.states["listen"], answer.states["established"], answer.states["time-wait"]),
            (1, 2, 1)
        );
        assert_eq!(answer.states.len(), 11);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = tcp_table(&bytes, &bytes, (1, 2));
            let _ = listeners(&bytes);
        }

        #[test]
        fn nearly_right_lines_never_panic(line in "[0-9]: ?[0-9A-Fé]{0,40}:[0-9A-F]{0,5} [0-9A-F]{8}:[0-9A-F]{4} [0-9A-F]{1,3} [0-9:]{0,20} a b c d [0-9]{0,22}") {
            let _ = tcp_table(line.as_bytes(), line.as_bytes(), (1, 2));
        }

        #[test]
        fn an_endpoint_is_read_back(ip in any::<[u8; 16]>(), port: u16) {
            let hex: String = ip.chunks(4).map(|word| format!("{:08X}", u32::from_ne_bytes(word.try_into().unwrap()))).collect();
            let v6 = endpoint(&format!("{hex}:{port:04X}")).unwrap();
            prop_assert_eq!(v6, SocketAddr::new(Ipv6Addr::from(ip).into(), port));
            let v4 = endpoint(&format!("{}:{port:04X}", &hex[..8])).unwrap();
            prop_assert_eq!(v4, SocketAddr::new(Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3]).into(), port));
        }
    }
}
