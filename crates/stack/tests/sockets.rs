//! The socket layer on hosts that are well, and on hosts that cannot be.
#![allow(clippy::unwrap_used, reason = "a test")]

use host::Tree;
use model::{Severity, Verdict};
use proptest::prelude::*;
use stack::{Evidence, layers, reading};

const NAMES: &str = "TW TWRecycled ListenOverflows ListenDrops TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop \
    TCPAbortOnTimeout TCPAbortOnMemory";

/// A Debian 12 guest of 2 GB with default kernel parameters, as read 10 s apart.
fn debian_12() -> Tree {
    let mut tree = Tree::in_memory(2);
    for (instant, uptime) in [(0, "1000.00 0.00"), (1, "1010.00 0.00")] {
        tree.put(instant, "/proc/uptime", uptime);
    }
    let parameters = [
        ("net/core/somaxconn", "4096"),
        ("net/ipv4/ip_local_port_range", "32768\t60999"),
        ("net/ipv4/ip_local_reserved_ports", ""),
        ("net/ipv4/tcp_fin_timeout", "60"),
        ("net/ipv4/tcp_max_orphans", "8192"),
        ("net/ipv4/tcp_max_syn_backlog", "128"),
        ("net/ipv4/tcp_max_tw_buckets", "8192"),
        ("net/ipv4/tcp_orphan_retries", "0"),
        ("net/ipv4/tcp_syncookies", "1"),
        ("net/ipv4/tcp_timestamps", "1"),
        ("net/ipv4/tcp_tw_reuse", "2"),
    ];
    for (name, value) in parameters {
        tree.put(0, &format!("/proc/sys/{name}"), value);
    }
    tree.put(0, "/proc/meminfo", "MemTotal:        2014564 kB\n");
    tree.put(0, "/proc/net/sockstat", "sockets: used 200\nTCP: inuse 30 orphan 1 tw 900 alloc 40 mem 3\n");
    tree.put(0, "/proc/net/netstat", format!("TcpExt: {NAMES}\nTcpExt: 9000 5 12 14 0 3 0 200 0\n"));
    tree.put(1, "/proc/net/netstat", format!("TcpExt: {NAMES}\nTcpExt: 9150 5 12 14 0 3 0 201 0\n"));
    tree.put(0, "/proc/net/snmp", "Tcp: PassiveOpens OutSegs RetransSegs\nTcp: 100 5000 9\n");
    tree.put(1, "/proc/net/snmp", "Tcp: PassiveOpens OutSegs RetransSegs\nTcp: 900 25000 29\n");
    tree.put(
        0,
        "/.narrows/listeners.json",
        r#"[{"family":"inet4","local":"0.0.0.0:80","port":80,"waiting":2,"backlog":511},
            {"family":"inet4","local":"127.0.0.1:3306","port":3306,"waiting":1,"backlog":80},
            {"family":"inet4","local":"127.0.0.1:25","port":25,"waiting":1,"backlog":1},
            {"family":"inet6","local":"[::]:22","port":22,"waiting":0,"backlog":128},
            {"family":"unix","local":"/run/php/php8.2-fpm.sock","waiting":3,"backlog":511}]"#,
    );
    tree.put(
        0,
        "/.narrows/tcp.json",
        r#"{"destinations":[
              {"local":"127.0.0.1","remote":"127.0.0.1","port":3306,"established":20,"time_wait":20000,"in_range":20020},
              {"local":"10.0.0.2","remote":"93.184.216.34","port":443,"established":3,"time_wait":900,"in_range":903}],
            "services":[{"port":80,"established":90,"time_wait":400,"fin_wait2":12,"syn_received":2}],
            "states":{"established":113,"time-wait":21300,"fin-wait-2":12,"listen":4}}"#,
    );
    tree
}

#[test]
fn a_default_host_at_work_has_nothing_confirmed_above_hygiene() {
    let evidence = reading::read_tree(&debian_12()).unwrap();
    for (_, cause) in layers::causes().filter(|(layer, _)| layer.id == "sockets") {
        if let Ok(outcome) = (cause.test)(&evidence) {
            let loud = outcome.verdict == Verdict::Confirmed && outcome.severity > Severity::Hygiene;
            assert!(!loud, "{}: {}", cause.id, outcome.summary);
        }
    }
    for (_, symptom) in layers::symptoms().filter(|(layer, _)| layer.id == "sockets") {
        let presence = (symptom.test)(&evidence).unwrap();
        assert!(!presence.present, "{}: {}", symptom.id, presence.summary);
    }
}

#[test]
fn the_listen_queue_of_a_busy_host_is_a_station_and_an_idle_one_is_not() {
    let evidence = reading::read_tree(&debian_12()).unwrap();
    let stations = (layer("sockets").stations)(&evidence);
    let names: Vec<_> = stations.iter().map(|station| station.id.as_str()).collect();
    assert_eq!(
        names,
        [
            "sockets.listen-queue:/run/php/php8.2-fpm.sock",
            "sockets.listen-queue:0.0.0.0:80",
            "sockets.ports:10.0.0.2>93.184.216.34:443",
            "sockets.ports:127.0.0.1>127.0.0.1:3306",
        ]
    );
    assert_eq!((stations[1].servers, stations[1].busy), (Some(512.0), Some(2.0)));
}

#[test]
fn a_pool_of_workers_is_a_station_at_the_address_of_its_socket() {
    let pool = |inode, workers, busy| stack::samples::AcceptPool {
        command: "php-fpm8.2".to_owned(),
        inode,
        workers,
        busy,
        full_share: 0.0,
    };
    let mut tree = debian_12();
    let listeners = r#"[{"family":"inet4","local":"0.0.0.0:80","port":80,"inode":5,"waiting":0,"backlog":511},
        {"family":"unix","local":"/run/php/php8.2-fpm.sock","inode":7,"waiting":3,"backlog":511}]"#;
    tree.put(1, "/.narrows/listeners.json", listeners);
    let mut evidence = reading::read_tree(&tree).unwrap();
    evidence.samples.pools = vec![pool(5, 1, 0.4), pool(7, 6, 1.0), pool(99, 40, 2.0)];
    let stations = (layer("sockets").stations)(&evidence);
    let pools: Vec<_> = stations.iter().filter(|station| station.id.contains("accept-pool")).collect();
    assert_eq!(pools.len(), 1, "one acceptor is no pool, and 99 is a socket of another namespace");
    assert_eq!(pools[0].id, "sockets.accept-pool:/run/php/php8.2-fpm.sock");
    assert_eq!(
        (pools[0].servers, pools[0].busy, pools[0].saturates_at_times()),
        (Some(6.0), Some(1.0), Some(6.0))
    );
}

#[test]
fn connections_lost_are_a_stations_own_only_where_one_queue_was_full() {
    let overflowing = |listeners: &str| {
        let mut tree = debian_12();
        tree.put(1, "/proc/net/netstat", format!("TcpExt: {NAMES}\nTcpExt: 9150 5 2132 2134 0 3 0 201 0\n"));
        tree.put(1, "/.narrows/listeners.json", listeners);
        let evidence = reading::read_tree(&tree).unwrap();
        (layer("sockets").stations)(&evidence)
            .iter()
            .filter_map(|station| station.lost_per_s)
            .collect::<Vec<_>>()
    };
    let one = r#"{"family":"inet4","local":"0.0.0.0:80","port":80,"waiting":512,"backlog":511}"#;
    let other = r#"{"family":"inet4","local":"127.0.0.1:3306","port":3306,"waiting":81,"backlog":80}"#;
    assert_eq!(overflowing(&format!("[{one}]")), [212.0]);
    assert_eq!(overflowing(&format!("[{one},{other}]")), Vec::<f64>::new());
}

fn layer(id: &str) -> &'static stack::Layer {
    layers::LAYERS.iter().find(|layer| layer.id == id).unwrap()
}

/// Everything that can be asked of the layer, so that a panic anywhere in it shows.
fn ask_everything(evidence: &Evidence) {
    let layer = layer("sockets");
    (layer.stations)(evidence);
    for cause in layer.causes {
        let _ = (cause.test)(evidence);
    }
    for symptom in layer.symptoms {
        let _ = (symptom.test)(evidence);
    }
}

prop_compose! {
    fn strange_host()(
        counters in proptest::collection::vec(any::<u64>(), 24),
        sysctls in proptest::collection::vec(any::<i64>(), 11),
        range in any::<(u16, u16)>(),
        waiting in any::<(u32, u32)>(),
        backlog in any::<(Option<u32>, Option<u32>)>(),
        sockets in proptest::collection::vec(any::<u32>(), 8),
        totals in any::<(u64, u64)>(),
        port in any::<u16>(),
    ) -> Tree {
        let mut tree = debian_12();
        let numbers = |from: usize| {
            let some = counters.iter().skip(from).take(9).map(u64::to_string).collect::<Vec<_>>();
            format!("TcpExt: {NAMES}\nTcpExt: {}\n", some.join(" "))
        };
        tree.put(0, "/proc/net/netstat", numbers(0));
        tree.put(1, "/proc/net/netstat", numbers(9));
        tree.put(0, "/proc/net/snmp", format!("Tcp: PassiveOpens OutSegs RetransSegs\nTcp: {} {} {}\n", counters[18], counters[19], counters[20]));
        tree.put(1, "/proc/net/snmp", format!("Tcp: PassiveOpens OutSegs RetransSegs\nTcp: {} {} {}\n", counters[21], counters[22], counters[23]));
        tree.put(1, "/proc/net/sockstat", format!("TCP: orphan {} tw {}\n", totals.0, totals.1));
        let names = ["fin_timeout", "max_orphans", "max_syn_backlog", "max_tw_buckets", "orphan_retries", "syncookies", "timestamps", "tw_reuse"];
        for (name, value) in names.iter().zip(&sysctls) {
            tree.put(0, &format!("/proc/sys/net/ipv4/tcp_{name}"), value.to_string());
        }
        tree.put(0, "/proc/sys/net/core/somaxconn", sysctls[8].to_string());
        tree.put(0, "/proc/sys/net/ipv4/ip_local_port_range", format!("{} {}", range.0.min(range.1), range.0.max(range.1)));
        tree.put(0, "/proc/sys/net/ipv4/ip_local_reserved_ports", format!("{port},{}-{}", range.0, range.1));
        let limit = |backlog: Option<u32>| backlog.map_or("null".to_owned(), |backlog| backlog.to_string());
        tree.put(1, "/.narrows/listeners.json", format!(
            r#"[{{"family":"inet4","local":"0.0.0.0:{port}","port":{port},"waiting":{},"backlog":{}}},
                {{"family":"unix","local":"@","waiting":{},"backlog":{}}}]"#,
            waiting.0, limit(backlog.0), waiting.1, limit(backlog.1)));
        tree.put(1, "/.narrows/tcp.json", format!(
            r#"{{"destinations":[{{"local":"","remote":"::","port":{port},"established":{},"time_wait":{},"other":{},"in_range":{}}}],
                "services":[{{"port":{port},"fin_wait2":{},"syn_received":{}}}],"states":{{"fin-wait-2":{}}}}}"#,
            sockets[0], sockets[1], sockets[2], sockets[3], sockets[4], sockets[5], totals.0));
        tree
    }
}

proptest! {
    #[test]
    fn no_host_makes_it_panic(tree in strange_host()) {
        ask_everything(&reading::read_tree(&tree).unwrap());
    }
}
