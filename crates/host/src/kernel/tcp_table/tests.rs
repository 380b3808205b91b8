use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn outgoing(state: u8, local_port: u16, remote: u32) -> Socket {
    let local = SocketAddr::new(Ipv4Addr::new(10, 0, 0, 1).into(), local_port);
    let remote = SocketAddr::new(Ipv4Addr::from(remote).into(), 3306);
    Socket { state, local, remote, detail: None, expires_ms: None }
}

fn with_detail(mut socket: Socket, segments_out: u32, rtt_us: u32) -> Socket {
    let mut bytes = [0; 192];
    bytes[68..72].copy_from_slice(&rtt_us.to_ne_bytes());
    bytes[136..140].copy_from_slice(&segments_out.to_ne_bytes());
    let mut name = CongestionControl::default();
    name[..5].copy_from_slice(b"cubic");
    socket.detail = TcpInfo::parse(&bytes).map(|info| (info, name));
    socket
}

fn table(sockets: impl IntoIterator<Item = Socket>, ports: &[u16]) -> TcpTable {
    let mut listening = Ports::new();
    ports.iter().for_each(|&port| listening.insert(port));
    let mut builder = TableBuilder::new((32768, 60999), listening);
    sockets.into_iter().for_each(|socket| builder.add(&socket));
    builder.finish(false)
}

#[test]
fn sockets_outside_the_ephemeral_range_are_counted_but_not_in_range() {
    let ports = [32767, 32768, 60999, 61000];
    let table = table(ports.map(|port| outgoing(TIME_WAIT, port, 7)), &[]);
    let [to] = table.destinations.as_slice() else { panic!("{table:?}") };
    assert_eq!((to.time_wait, to.in_range), (4, 2));
}

#[test]
fn sockets_in_time_wait_are_counted_by_age() {
    let left_ms = [60_000, 58_000, 55_001, 55_000, 100, 0, 70_000];
    let waiting = |(at, left): (usize, u32)| {
        let port = 40_000 + u16::try_from(at).unwrap();
        Socket { expires_ms: Some(left), ..outgoing(TIME_WAIT, port, 7) }
    };
    let open = Socket { expires_ms: Some(200), ..outgoing(ESTABLISHED, 50_000, 7) };
    let table = table(left_ms.into_iter().enumerate().map(waiting).chain([open]), &[]);
    let by_age = &table.destinations[0].time_wait_by_age;
    assert_eq!((by_age.len(), by_age[0], by_age[1], by_age[11]), (12, 4, 1, 2));
}

#[test]
fn an_ipv4_peer_of_an_ipv6_socket_is_the_same_destination() {
    let plain = outgoing(ESTABLISHED, 40000, 7);
    let mapped = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    let other = Socket { local: mapped(plain.local), remote: mapped(plain.remote), ..plain };
    let table = table([plain, other], &[]);
    assert_eq!(table.destinations.len(), 1);
    assert_eq!((table.destinations[0].established, table.destinations[0].remote.as_str()), (2, "0.0.0.7"));
}

#[test]
fn the_largest_destinations_are_kept_and_the_rest_counted() {
    let many = (0..300).flat_map(|to| (0..=to).map(move |n| outgoing(ESTABLISHED, 40000 + n, to.into())));
    let table = table(many, &[]);
    assert_eq!((table.destinations.len(), table.destinations_left_out), (256, 44));
    assert_eq!((table.destinations[0].established, table.destinations[255].established), (300, 45));
    assert!(!table.truncated);
}

#[test]
fn more_destinations_than_are_held_truncate_the_table() {
    let many = (0..70_000).map(|to| outgoing(ESTABLISHED, 40000, to));
    let table = table(many, &[]);
    assert!(table.truncated);
    assert_eq!(table.states["established"], 70_000);
}

#[test]
fn a_service_counts_by_state_and_shows_even_when_idle() {
    let states = [ESTABLISHED, ESTABLISHED, TIME_WAIT, FIN_WAIT_2, SYN_RECEIVED, NEW_SYN_RECEIVED, 8];
    let listener =
        Socket { remote: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0), ..outgoing(LISTEN, 80, 0) };
    let table = table(states.map(|state| outgoing(state, 80, 9)).into_iter().chain([listener]), &[80, 443]);
    let service = Service { port: 80, established: 2, time_wait: 1, fin_wait2: 1, syn_received: 2, other: 1 };
    assert_eq!(table.services, [service, Service { port: 443, ..Service::default() }]);
    assert!(table.destinations.is_empty());
    assert_eq!((table.states["listen"], table.states["syn-received"], table.states["closing"]), (1, 2, 0));
}

#[test]
fn the_busiest_are_kept_in_order_and_all_are_summed() {
    let many = (1..=100).map(|n| with_detail(outgoing(ESTABLISHED, 40000, n), n, n * 10));
    let table = table(many, &[]);
    let sent: Vec<_> = table.busy.iter().map(|each| each.segments_out.unwrap()).collect();
    assert_eq!(sent, (37..=100).rev().collect::<Vec<_>>());
    assert_eq!(
        (table.totals.as_ref().unwrap().sockets, table.totals.as_ref().unwrap().segments_out),
        (100, 5050)
    );
    assert_eq!(
        (table.totals.as_ref().unwrap().median_rtt_us, table.totals.as_ref().unwrap().p90_rtt_us),
        (Some(500), Some(900))
    );
    assert_eq!(table.totals.as_ref().unwrap().by_congestion_control["cubic"], 100);
}

#[test]
fn a_table_survives_a_bundle() {
    let table = table([with_detail(outgoing(ESTABLISHED, 40000, 9), 5, 0), outgoing(200, 1, 2)], &[80]);
    assert_eq!((table.totals.as_ref().unwrap().median_rtt_us, table.states["unknown"]), (None, 1));
    let text = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<TcpTable>(&text).unwrap(), table);
}

proptest! {
    #[test]
    fn no_socket_is_lost(states in prop::collection::vec(any::<u8>(), 0..200), ports in prop::collection::vec(any::<u16>(), 0..5)) {
        let expected = u64::try_from(states.len()).unwrap();
        let table = table(states.into_iter().map(|state| outgoing(state, 80, 3)), &ports);
        prop_assert_eq!(table.states.values().sum::<u64>(), expected);
    }
}
