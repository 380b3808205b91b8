//! TCP and Unix sockets by `NETLINK_SOCK_DIAG`.

use rustix::net::netlink::SOCK_DIAG;

use super::modules::{require_tcp, require_unix};
use super::netlink::{Message, Netlink};
use super::ports::Ports;
use super::sock_message::{
    AF_INET, AF_INET6, ALL_STATES, DETAIL_EXTENSIONS, LISTEN_STATE, inet_request,
    inet_request_of_all_families, parse_socket, parse_tcp_listener, parse_unix_listener, unix_request,
};
use super::tcp_table::TableBuilder;
use super::{KernelError, Listener, TcpTable};

const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;

const TCP_QUERY: &str = "sock_diag dump of TCP sockets";
const TCP4_QUERY: &str = "sock_diag dump of IPv4 TCP sockets";
const TCP6_QUERY: &str = "sock_diag dump of IPv6 TCP sockets";
const UNIX_QUERY: &str = "sock_diag dump of Unix sockets";

/// Asks which sockets listen and how full their accept queues are, once.
///
/// # Errors
/// As [`Listeners::open`] and [`Listeners::read`].
pub fn listeners(allow_autoload: bool) -> Result<Vec<Listener>, KernelError> {
    Listeners::open(allow_autoload)?.read()
}

/// Asks for listening sockets again and again: keeps its netlink socket and buffer.
///
/// The kernel walks only its table of listeners for TCP, and its whole table of sockets for Unix.
#[derive(Debug)]
pub struct Listeners {
    netlink: Option<Netlink>,
}

impl Listeners {
    /// Opens a netlink socket in the calling thread's network namespace, which stays the one asked about.
    ///
    /// # Errors
    /// [`KernelError::WouldLoadModule`] unless `allow_autoload`, when the kernel would have to load `tcp_diag`,
    /// `inet_diag` or `unix_diag` to answer; `proc_net_tcp` and `proc_net_unix` then answer from `/proc`.
    /// Otherwise whatever socket(2) says.
    pub fn open(allow_autoload: bool) -> Result<Self, KernelError> {
        require_tcp(TCP4_QUERY, allow_autoload)?;
        require_unix(UNIX_QUERY, allow_autoload)?;
        Ok(Self { netlink: Some(Netlink::open(TCP4_QUERY, Some(SOCK_DIAG))?) })
    }

    /// Reads all listening sockets: TCP over IPv4, TCP over IPv6, stream and seqpacket Unix sockets.
    ///
    /// # Errors
    /// What the kernel answers. After an error the next call opens a new socket, in the network namespace of
    /// the thread that calls.
    pub fn read(&mut self) -> Result<Vec<Listener>, KernelError> {
        let mut netlink = match self.netlink.take() {
            Some(netlink) => netlink,
            None => Netlink::open(TCP4_QUERY, Some(SOCK_DIAG))?,
        };
        let mut found = Vec::new();
        for (family, query) in [(AF_INET, TCP4_QUERY), (AF_INET6, TCP6_QUERY)] {
            dump_tcp(&mut netlink, query, &inet_request(family, 0, LISTEN_STATE), &mut |message| {
                found.push(parse_tcp_listener(query, message)?);
                Ok(())
            })?;
        }
        netlink.dump(UNIX_QUERY, SOCK_DIAG_BY_FAMILY, &unix_request(), &mut |message| {
            found.push(parse_unix_listener(UNIX_QUERY, message)?);
            Ok(())
        })?;
        self.netlink = Some(netlink);
        Ok(found)
    }
}

/// Summarizes all TCP sockets of the calling thread's network namespace.
///
/// `ephemeral` is `net.ipv4.ip_local_port_range`, both ends included.
///
/// # Errors
/// [`KernelError::WouldLoadModule`] unless `allow_autoload`, when the kernel would have to load `tcp_diag` or
/// `inet_diag`; `proc_net_tcp` then answers from `/proc`. Otherwise what the kernel answers.
pub fn tcp_table(ephemeral: (u16, u16), allow_autoload: bool) -> Result<TcpTable, KernelError> {
    require_tcp(TCP4_QUERY, allow_autoload)?;
    let mut netlink = Netlink::open(TCP4_QUERY, Some(SOCK_DIAG))?;
    let mut listening = Ports::new();
    let mut interrupted = false;
    for (family, query) in [(AF_INET, TCP4_QUERY), (AF_INET6, TCP6_QUERY)] {
        interrupted |=
            dump_tcp(&mut netlink, query, &inet_request(family, 0, LISTEN_STATE), &mut |message| {
                listening.insert(parse_socket(query, message)?.local.port());
                Ok(())
            })?;
    }
    let mut table = TableBuilder::new(ephemeral, listening);
    interrupted |= dump_all(&mut netlink, &mut table)?;
    Ok(table.finish(interrupted))
}

/// Dumps the sockets of both families in one walk over the kernel's table: the request by family walks it once for
/// each, and the walk is most of the cost where sockets are few (262,144 buckets on a host of 24 GiB). The older request
/// for TCP (`TCPDIAG_GETSOCK`; `inet_diag_dump_compat` in net/ipv4/inet_diag.c) knows no families.
fn dump_all(netlink: &mut Netlink, table: &mut TableBuilder) -> Result<bool, KernelError> {
    let request = inet_request_of_all_families(DETAIL_EXTENSIONS, ALL_STATES);
    netlink.dump(TCP_QUERY, TCPDIAG_GETSOCK, &request, &mut |message| {
        table.add(&parse_socket(TCP_QUERY, message)?);
        Ok(())
    })
}

/// Dumps one family; a kernel without IPv6 has no IPv6 sockets.
fn dump_tcp(
    netlink: &mut Netlink,
    query: &str,
    request: &[u8],
    each: &mut dyn FnMut(&Message<'_>) -> Result<(), KernelError>,
) -> Result<bool, KernelError> {
    match netlink.dump(query, SOCK_DIAG_BY_FAMILY, request, each) {
        Err(KernelError::Unsupported { .. }) if query == TCP6_QUERY => Ok(false),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

    use super::super::testing::{NetworkNamespace, tcp_listener, wait_for};
    use super::super::{Family, proc_net_tcp, proc_net_unix};
    use super::*;

    const EPHEMERAL: (u16, u16) = (1024, 65535);

    fn find(local: &str, waiting: u32) -> Listener {
        let mut asked = Listeners::open(false).unwrap();
        wait_for("the accept queue", || {
            asked.read().unwrap().into_iter().find(|each| each.local == local && each.waiting == waiting)
        })
    }

    #[expect(clippy::disallowed_methods, reason = "compares with /proc")]
    fn proc_text(file: &str) -> Vec<u8> {
        std::fs::read(format!("/proc/net/{file}")).unwrap()
    }

    fn pending_connections_are_seen(ip: &str, family: Family, file: &str) {
        let (_listener, address) = tcp_listener(ip, 5);
        let _clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let found = find(&address.to_string(), 3);
        assert_eq!((found.family, found.port, found.backlog), (family, Some(address.port()), Some(5)));
        let from_proc = proc_net_tcp::listeners(&proc_text(file));
        assert_eq!(from_proc.lines_skipped, 0);
        let expected = Listener { backlog: None, ..found };
        assert!(from_proc.answer.contains(&expected), "{expected:?} not in /proc/net/{file}");
    }

    #[test]
    fn three_pending_ipv4_connections_show_as_three_of_five() {
        pending_connections_are_seen("127.0.0.1", Family::Inet4, "tcp");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "asks whether this host has IPv6")]
    fn three_pending_ipv6_connections_show_as_three_of_five() {
        match TcpListener::bind("[::1]:0") {
            Ok(_) => pending_connections_are_seen("::1", Family::Inet6, "tcp6"),
            Err(_) => {
                let addresses = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
                assert!(!addresses.contains(" lo"), "lo has an IPv6 address but none can be bound");
            }
        }
    }

    fn pending_unix_connections_are_seen(address: &SocketAddrUnix, name: &str) {
        let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&listener, address).unwrap();
        listen(&listener, 5).unwrap();
        let connect = |_| {
            let client = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
            rustix::net::connect(&client, address).unwrap();
            UnixStream::from(client)
        };
        let _clients: Vec<_> = (0..3).map(connect).collect();
        let found = find(name, 3);
        assert_eq!((found.family, found.port, found.backlog), (Family::Unix, None, Some(5)));
        let from_proc = proc_net_unix::listeners(&proc_text("unix"));
        assert_eq!(from_proc.lines_skipped, 0);
        let expected = Listener { backlog: None, ..found };
        assert!(from_proc.answer.contains(&expected), "{expected:?} not in /proc/net/unix");
    }

    #[test]
    fn three_pending_unix_connections_show_as_three_of_five() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fpm.sock");
        pending_unix_connections_are_seen(&SocketAddrUnix::new(&path).unwrap(), path.to_str().unwrap());
    }

    #[test]
    fn an_abstract_unix_socket_is_named_with_an_at_sign() {
        let name = format!("narrows-test-{}", std::process::id());
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap();
        pending_unix_connections_are_seen(&address, &format!("@{name}"));
    }

    #[test]
    fn two_hundred_connections_to_one_port_are_one_destination() {
        let (listener, address) = tcp_listener("127.0.0.1", 200);
        let listener = TcpListener::from(listener);
        let pairs: Vec<_> =
            (0..200).map(|_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap())).collect();
        let table = tcp_table(EPHEMERAL, false).unwrap();
        let to: Vec<_> = table.destinations.iter().filter(|each| each.port == address.port()).collect();
        let expected = super::super::Destination {
            local: "127.0.0.1".to_owned(),
            remote: "127.0.0.1".to_owned(),
            port: address.port(),
            established: 200,
            time_wait: 0,
            other: 0,
            in_range: 200,
            time_wait_by_age: vec![],
        };
        assert_eq!(to, [&expected]);
        let service = table.services.iter().find(|each| each.port == address.port()).unwrap();
        assert_eq!(service.established, 200);
        assert!(
            table.totals.as_ref().unwrap().sockets >= 400
                && table.totals.as_ref().unwrap().median_rtt_us.is_some(),
            "{:?}",
            table.totals
        );
        assert_eq!(table.busy.len(), 64);
        assert!(table.busy.iter().all(|each| each.congestion_control.is_some() && each.busy_us.is_some()));
        assert_eq!(
            table.totals.as_ref().unwrap().by_congestion_control.values().sum::<u64>(),
            table.totals.as_ref().unwrap().sockets
        );

        let from_proc = proc_net_tcp::tcp_table(&proc_text("tcp"), &proc_text("tcp6"), EPHEMERAL);
        assert_eq!(from_proc.lines_skipped, 0);
        assert!(from_proc.answer.destinations.contains(&expected));
        drop(pairs);
    }

    #[test]
    fn an_established_connection_is_told_in_full() {
        NetworkNamespace::new().run(exchange_and_look);
    }

    fn exchange_and_look() {
        let (listener, address) = tcp_listener("127.0.0.1", 5);
        let listener = TcpListener::from(listener);
        let mut client = TcpStream::connect(address).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut byte = [0];
        for _ in 0..2000 {
            client.write_all(&[7]).unwrap();
            server.read_exact(&mut byte).unwrap();
            server.write_all(&byte).unwrap();
            client.read_exact(&mut byte).unwrap();
        }
        let table = tcp_table(EPHEMERAL, false).unwrap();
        let local = client.local_addr().unwrap().to_string();
        let detail = table.busy.iter().find(|each| each.local == local).unwrap();
        assert_eq!(
            (detail.remote.as_str(), detail.state.as_str()),
            (address.to_string().as_str(), "established")
        );
        assert!(detail.segments_out.unwrap() >= 2000 && detail.bytes_acked.unwrap() >= 2000, "{detail:?}");
        assert!(detail.rtt_us > 0 && detail.congestion_window > 0 && detail.lost == 0, "{detail:?}");
    }
}
