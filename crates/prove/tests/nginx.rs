//! Open-loop load against Debian's Nginx, and where ports end.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

mod support;

use std::net::SocketAddr;

use lab::faults::netns::Namespace;
use prove::load::{LoadSpec, Protocol};
use support::nginx::Nginx;
use support::{assert_all_failed, load, offer};

fn page(scheme: &str, address: SocketAddr) -> LoadSpec {
    let mut spec = load(&format!("{scheme}://{address}/page"), 1000.0, 1500);
    spec.verify_certificates = false;
    spec
}

#[test]
fn nginx_answers_every_request_over_each_protocol_also_when_it_retires_connections() {
    let nginx = Nginx::start();
    for (scheme, address, protocol) in [
        ("http", nginx.plain, Protocol::Http1),
        ("http", nginx.plain_http2, Protocol::Http2),
        ("https", nginx.tls, Protocol::Http1),
        ("https", nginx.tls_http2, Protocol::Http2),
    ] {
        let mut spec = page(scheme, address);
        (spec.protocol, spec.most_connections) = (protocol, 2);
        let result = offer(&spec);
        assert_eq!(
            (result.offered, result.good),
            (1500, 1500),
            "{scheme} {protocol:?}: {:?}",
            result.failures
        );
        assert_eq!(result.body_bytes, 1500 * 1024);
        // Nginx closes a connection after 1000 requests (keepalive_requests).
        assert!(result.connections >= 2, "{scheme} {protocol:?}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_and_a_protocol_that_is_not_offered_are_failures() {
    let nginx = Nginx::start();
    let mut spec = page("https", nginx.tls);
    spec.arrivals.per_s = 50.0;
    spec.protocol = Protocol::Http2;
    let result = offer(&spec);
    assert!(result.failures.keys().all(|name| name.contains("HTTP/2") || name.contains("TLS")));
    assert_eq!(result.good, 0, "{:?}", result.statuses);
    (spec.protocol, spec.verify_certificates) = (Protocol::Http1, true);
    assert_all_failed(&offer(&spec), "certificate not trusted");
}

/// Sockets in TIME-WAIT (state 06 of /proc/net/tcp) by which end is in it: the client's and the server's.
fn time_wait(server: SocketAddr) -> (usize, usize) {
    let table = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
    let port = format!(":{:04X}", server.port());
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let rows: Vec<_> = rows.filter(|row| row[3] == "06").collect();
    let ending = |column: usize| rows.iter().filter(|row| row[column].ends_with(&port)).count();
    (ending(2), ending(1))
}

#[test]
fn without_keep_alive_the_client_closes_first_and_runs_out_of_ports() {
    let namespace = Namespace::create().unwrap();
    namespace.set("net/ipv4/ip_local_port_range", "40000 40019").unwrap();
    namespace.set("net/ipv4/tcp_tw_reuse", "0").unwrap();
    let run = namespace.run(|| {
        let nginx = Nginx::start();
        let mut spec = page("http", nginx.plain);
        (spec.keep_alive, spec.arrivals.per_s) = (false, 40.0);
        let result = offer(&spec);
        Ok((result, time_wait(nginx.plain)))
    });
    let (result, (at_client, at_server)) = run.unwrap();
    assert_eq!(result.connections, result.good);
    assert!(result.good <= 20, "there are 20 ports");
    assert_eq!(result.failures.get("no local port"), Some(&(result.offered - result.good)));
    assert_eq!(at_server, 0, "the server closed first");
    assert!(at_client >= usize::try_from(result.good).unwrap());
}
