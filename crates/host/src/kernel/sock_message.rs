//! The requests and answers of `sock_diag`, byte by byte.
//!
//! Layouts: `include/uapi/linux/inet_diag.h` and `unix_diag.h`, man 7 sock_diag. For a listening socket the
//! kernel puts the accept queue in the receive-queue field and its limit in the send-queue field
//! (`tcp_diag_get_info` in `net/ipv4/tcp_diag.c`, `sk_diag_show_rqlen` in `net/unix/diag.c`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::netlink::{Attributes, Message, text, u32_at};
use super::tcp_info::{CongestionControl, TcpInfo, congestion_control};
use super::tcp_table::{ESTABLISHED, LISTEN, Socket};
use super::{Family, KernelError, Listener};

const AF_UNIX: u8 = 1;
pub(super) const AF_INET: u8 = 2;
pub(super) const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;

const INET_REQUEST_BYTES: usize = 56;
const INET_MESSAGE_BYTES: usize = 72;
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_CONG: u16 = 4;
/// `idiag_ext`: bit N-1 asks for extension N.
pub(super) const DETAIL_EXTENSIONS: u8 = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1);
/// States 1 to 11.
pub(super) const ALL_STATES: u32 = 0xffe;
pub(super) const LISTEN_STATE: u32 = 1 << LISTEN;

const UNIX_MESSAGE_BYTES: usize = 16;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_RQLEN: u16 = 4;
const UDIAG_SHOW_NAME: u32 = 0x1;
const UDIAG_SHOW_RQLEN: u32 = 0x10;

/// `struct inet_diag_req_v2`, with an empty socket identity.
pub(super) fn inet_request(family: u8, extensions: u8, states: u32) -> Vec<u8> {
    let mut request = vec![family, IPPROTO_TCP, extensions, 0];
    request.extend_from_slice(&states.to_ne_bytes());
    request.resize(INET_REQUEST_BYTES, 0);
    request
}

/// `struct inet_diag_req`, of the older request that has no family and is answered for all of them.
pub(super) fn inet_request_of_all_families(extensions: u8, states: u32) -> Vec<u8> {
    const SOCKET_ID_BYTES: usize = 48;
    let mut request = vec![0, 0, 0, extensions];
    request.resize(request.len() + SOCKET_ID_BYTES, 0);
    request.extend_from_slice(&states.to_ne_bytes());
    request.extend_from_slice(&0u32.to_ne_bytes());
    request
}

/// `struct unix_diag_req`.
pub(super) fn unix_request() -> Vec<u8> {
    let mut request = vec![AF_UNIX, 0, 0, 0];
    for word in [LISTEN_STATE, 0, UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN, 0, 0] {
        request.extend_from_slice(&word.to_ne_bytes());
    }
    request
}

/// An address of `struct inet_diag_sockid`, and the port in network byte order beside it.
fn endpoint(family: u8, message: &[u8], port_at: usize, address_at: usize) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*message.get(port_at..)?.first_chunk()?);
    let address = message.get(address_at..)?;
    let ip: IpAddr = match family {
        AF_INET => Ipv4Addr::from(*address.first_chunk::<4>()?).into(),
        AF_INET6 => Ipv6Addr::from(*address.first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Reads `struct inet_diag_msg`, and the attributes of an established socket.
pub(super) fn parse_socket(query: &str, message: &Message<'_>) -> Result<Socket, KernelError> {
    let bad = |at: usize| KernelError::malformed(query, message.offset.saturating_add(at));
    let bytes = message.payload;
    let (&family, &state) = bytes.first().zip(bytes.get(1)).ok_or_else(|| bad(0))?;
    let attributes = bytes.get(INET_MESSAGE_BYTES..).ok_or_else(|| bad(bytes.len()))?;
    let local = endpoint(family, bytes, 4, 8).ok_or_else(|| bad(0))?;
    let remote = endpoint(family, bytes, 6, 24).ok_or_else(|| bad(0))?;
    let mut info = None;
    let mut name = CongestionControl::default();
    if state == ESTABLISHED {
        for attribute in Attributes::new(attributes) {
            match attribute.map_err(|at| bad(INET_MESSAGE_BYTES.saturating_add(at)))? {
                (INET_DIAG_INFO, value) => info = TcpInfo::parse(value),
                (INET_DIAG_CONG, value) => name = congestion_control(value),
                _ => {}
            }
        }
    }
    let detail = info.map(|info| (info, name));
    Ok(Socket { state, local, remote, detail, expires_ms: u32_at(bytes, 52) })
}

/// Reads `struct inet_diag_msg` of a listening socket.
pub(super) fn parse_tcp_listener(query: &str, message: &Message<'_>) -> Result<Listener, KernelError> {
    let socket = parse_socket(query, message)?;
    let word = |at| u32_at(message.payload, at).ok_or_else(|| KernelError::malformed(query, message.offset));
    Ok(Listener {
        family: if socket.local.is_ipv4() { Family::Inet4 } else { Family::Inet6 },
        local: socket.local.to_string(),
        port: Some(socket.local.port()),
        inode: word(68)?.into(),
        waiting: word(56)?,
        backlog: Some(word(60)?),
    })
}

/// Reads `struct unix_diag_msg` with its name and queue attributes.
pub(super) fn parse_unix_listener(query: &str, message: &Message<'_>) -> Result<Listener, KernelError> {
    let bad = |at: usize| KernelError::malformed(query, message.offset.saturating_add(at));
    let bytes = message.payload;
    let attributes = bytes.get(UNIX_MESSAGE_BYTES..).ok_or_else(|| bad(bytes.len()))?;
    let inode = u32_at(bytes, 4).ok_or_else(|| bad(4))?;
    let (mut local, mut queue) = (String::new(), None);
    for attribute in Attributes::new(attributes) {
        match attribute.map_err(|at| bad(UNIX_MESSAGE_BYTES.saturating_add(at)))? {
            (UNIX_DIAG_NAME, value) => local = unix_name(value),
            (UNIX_DIAG_RQLEN, value) => queue = u32_at(value, 0).zip(u32_at(value, 4)),
            _ => {}
        }
    }
    let (waiting, backlog) = queue.ok_or_else(|| bad(UNIX_MESSAGE_BYTES))?;
    Ok(Listener {
        family: Family::Unix,
        local,
        port: None,
        inode: inode.into(),
        waiting,
        backlog: Some(backlog),
    })
}

/// A path may carry its terminating NUL; an abstract name starts with NUL and may hold more of them, all shown
/// as `@` like in `/proc/net/unix`.
fn unix_name(value: &[u8]) -> String {
    match value.first() {
        Some(0) => String::from_utf8_lossy(value).replace('\0', "@"),
        _ => text(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ports::Ports;
    use super::super::tcp_table::TableBuilder;
    use super::*;

    fn message(payload: &[u8]) -> Message<'_> {
        Message { kind: 20, flags: 0, sequence: 1, payload, offset: 16 }
    }

    #[test]
    fn a_message_cut_short_is_malformed() {
        let mut payload = vec![0; INET_MESSAGE_BYTES];
        payload[0] = AF_INET6;
        payload[1] = LISTEN;
        assert!(parse_tcp_listener("test", &message(&payload)).is_ok());
        payload.pop();
        let error = parse_tcp_listener("test", &message(&payload)).unwrap_err();
        assert!(matches!(error, KernelError::Malformed { offset: 87, .. }), "{error}");
    }

    #[test]
    fn a_path_ends_at_its_nul_and_an_abstract_name_does_not() {
        assert_eq!(unix_name(b"/run/a.sock\0"), "/run/a.sock");
        assert_eq!(unix_name(b"\0a\0b"), "@a@b");
        assert_eq!(unix_name(b""), "");
    }

    proptest! {
        #[test]
        fn garbage_never_panics(head in 0_u8..12, bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut payload = vec![head, 1];
            payload.extend(bytes);
            let mut table = TableBuilder::new((1, 2), Ports::new());
            if let Ok(socket) = parse_socket("test", &message(&payload)) {
                table.add(&socket);
            }
            table.finish(false);
            let _ = parse_tcp_listener("test", &message(&payload));
            let _ = parse_unix_listener("test", &message(&payload));
        }
    }
}
