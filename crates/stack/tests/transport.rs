//! TCP's settings and their files on hosts that are well, and on hosts that cannot be.
#![allow(clippy::unwrap_used, reason = "a test")]

use host::Tree;
use model::{Outcome, Severity, Verdict};
use proptest::prelude::*;
use stack::{Evidence, layers, reading};

/// The causes that this file holds to account.
const CAUSES: [&str; 15] = [
    "settings.dangerous-at-boot",
    "settings.file-not-read",
    "settings.not-applied",
    "settings.overridden",
    "settings.trailing-comment",
    "sockets.congestion-control-unavailable",
    "sockets.core-buffers-for-autotuning",
    "sockets.fastopen-key-zero",
    "sockets.fastopen-without-listener",
    "sockets.loss-limits-cubic",
    "sockets.optmem-huge",
    "sockets.receive-buffer-short",
    "sockets.receive-default-lowered",
    "sockets.send-buffer-short",
    "sockets.slow-start-after-idle",
];

const NETSTAT: &str = "TcpExt: PruneCalled RcvPruned TCPRcvCollapsed TCPMemoryPressures TCPFastOpenPassive \
    TCPFastOpenCookieReqd";

/// The parameters of a Debian 12 guest (Linux 6.1) that nobody touched.
const DEBIAN_12: [(&str, &str); 13] = [
    ("kernel/osrelease", "6.1.0-56-cloud-amd64"),
    ("kernel/pid_max", "4194304"),
    ("net/core/default_qdisc", "fq_codel"),
    ("net/core/optmem_max", "20480"),
    ("net/core/rmem_max", "212992"),
    ("net/core/wmem_max", "212992"),
    ("net/ipv4/tcp_available_congestion_control", "reno cubic"),
    ("net/ipv4/tcp_congestion_control", "cubic"),
    ("net/ipv4/tcp_fastopen", "1"),
    ("net/ipv4/tcp_fastopen_key", "00000000-00000000-00000000-00000000"),
    ("net/ipv4/tcp_rmem", "4096\t131072\t6291456"),
    ("net/ipv4/tcp_slow_start_after_idle", "1"),
    ("net/ipv4/tcp_wmem", "4096\t16384\t4194304"),
];

/// Serves visitors 45 ms away, who come and go, at 0.4 % of segments sent again.
fn debian_12() -> Tree {
    let mut tree = Tree::in_memory(2);
    for (name, value) in DEBIAN_12 {
        tree.put(0, &format!("/proc/sys/{name}"), value);
    }
    tree.put(0, "/usr/lib/sysctl.d/50-pid-max.conf", "# set high\nkernel.pid_max = 4194304\n");
    tree.put(0, "/usr/lib/sysctl.d/50-default.conf", "-net.core.default_qdisc = fq_codel\n");
    tree.put_link(0, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
    tree.put(0, "/etc/sysctl.conf", "# Uncomment the next line\n#net.ipv4.tcp_syncookies=1\n");
    tree.put(0, "/etc/sysctl.d/README.sysctl", "Kernel system variables configuration files\n");
    tree.put(0, "/etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n");
    for (at, uptime, sent, again, pruned) in [(0, 1000, 100_000, 900, 3), (1, 1010, 125_000, 1000, 4)] {
        tree.put(at, "/proc/uptime", format!("{uptime}.00 0.00\n"));
        let snmp = format!(
            "Tcp: OutSegs RetransSegs\nTcp: {sent} {again}\nUdp: InDatagrams OutDatagrams\nUdp: 5 5\n"
        );
        tree.put(at, "/proc/net/snmp", snmp);
        tree.put(at, "/proc/net/netstat", format!("{NETSTAT}\nTcpExt: {pruned} 0 40 0 0 0\n"));
        tree.put(at, "/.narrows/tcp.json", tcp(u64::from(at == 1)));
    }
    tree
}

fn tcp(later: u64) -> String {
    let (busy_us, out, window) = (1_000_000 + later * 3_000_000, 1000 + later * 900, 30 + later * 4);
    format!(
        r#"{{"totals":{{"sockets":30,"busy_us":{busy_us},"send_buffer_limited_us":1000,"median_rtt_us":45000,
             "p90_rtt_us":70000,"by_congestion_control":{{"cubic":30}}}},
            "busy":[{{"local":"10.0.0.2:443","remote":"198.51.100.1:5001","congestion_control":"cubic","rtt_us":45000,
             "congestion_window":{window},"segments_out":{out},"retransmits_total":2,"bytes_acked":{out},
             "busy_us":{busy_us},"receive_window_limited_us":9000,"send_buffer_limited_us":1000,"last_send_ms":900}}]}}"#
    )
}

fn outcomes(evidence: &Evidence) -> Vec<(&'static str, Outcome)> {
    let held = layers::causes().filter(|(_, cause)| CAUSES.contains(&cause.id));
    held.map(|(_, cause)| (cause.id, (cause.test)(evidence).unwrap_or_else(Outcome::unknown))).collect()
}

#[test]
fn a_default_host_at_work_has_nothing_confirmed() {
    let outcomes = outcomes(&reading::read_tree(&debian_12()).unwrap());
    assert_eq!(outcomes.len(), CAUSES.len());
    for (id, outcome) in outcomes {
        assert_ne!(outcome.verdict, Verdict::Confirmed, "{id}: {}", outcome.summary);
        assert_ne!(outcome.verdict, Verdict::Unknown, "{id}: {}", outcome.summary);
    }
}

#[test]
fn a_container_that_shows_little_has_nothing_confirmed_and_says_what_it_lacks() {
    let mut tree = Tree::in_memory(2);
    tree.put(0, "/usr/lib/sysctl.d/50-pid-max.conf", "kernel.pid_max = 4194304\n");
    for (name, value) in [("kernel/pid_max", "32768"), ("net/ipv4/tcp_congestion_control", "bbr")] {
        tree.put(0, &format!("/proc/sys/{name}"), value);
    }
    for (id, outcome) in outcomes(&reading::read_tree(&tree).unwrap()) {
        assert_ne!(outcome.verdict, Verdict::Confirmed, "{id}: {}", outcome.summary);
        assert!(outcome.verdict != Verdict::Unknown || !outcome.missing.is_empty(), "{id}");
    }
}

#[test]
fn the_guides_settings_are_each_named_and_none_is_limiting() {
    let mut tree = debian_12();
    let guide = "net.core.rmem_max = 16777216\nnet.core.wmem_max = 16777216\nnet.ipv4.tcp_rmem = 4096 87380 6291456\n\
        net.core.optmem_max = 25165824\nnet.ipv4.tcp_fastopen = 3\n\
        net.ipv4.tcp_fastopen_key = 00000000-00000000-00000000-00000000 # Auto-generated\n";
    tree.put(0, "/etc/sysctl.d/99-guide.conf", guide);
    for line in guide.lines() {
        let (key, value) = line.split_once(" = ").unwrap();
        let value = value.split(" #").next().unwrap();
        tree.put(0, &format!("/proc/sys/{}", key.replace('.', "/")), value);
    }
    let outcomes = outcomes(&reading::read_tree(&tree).unwrap());
    let confirmed: Vec<_> =
        outcomes.iter().filter(|(_, outcome)| outcome.verdict == Verdict::Confirmed).collect();
    let names: Vec<_> = confirmed.iter().map(|(id, _)| *id).collect();
    assert_eq!(
        names,
        [
            "sockets.core-buffers-for-autotuning",
            "sockets.fastopen-key-zero",
            "sockets.fastopen-without-listener",
            "sockets.optmem-huge",
            "sockets.receive-default-lowered",
            "settings.trailing-comment",
        ]
    );
    assert!(confirmed.iter().all(|(_, outcome)| outcome.severity < Severity::Limiting));
}

#[test]
fn a_remedy_keeps_a_secret_to_itself() {
    let mut tree = debian_12();
    let key = "12345678-9abcdef0-12345678-9abcdef0";
    tree.put(0, "/etc/sysctl.d/9.conf", format!("net.ipv4.tcp_fastopen_key = {key} # ours\n"));
    tree.put(0, "/proc/sys/net/ipv4/tcp_fastopen_key", key);
    tree.put(0, "/etc/fstab", "//nas/a /mnt cifs username=web,password=hunter2 0 0\n");
    let evidence = reading::read_tree(&tree).unwrap();
    let bundle = serde_json::to_string(&evidence).unwrap()
        + &serde_json::to_string(&stack::diagnose(&evidence)).unwrap();
    assert!(bundle.contains("99-sysctl.conf") || bundle.contains("9.conf"));
    assert!(!bundle.contains("9abcdef0") && !bundle.contains("hunter2"));
}

prop_compose! {
    fn strange_host()(
        values in proptest::collection::vec(prop_oneof![any::<i64>().prop_map(|n| n.to_string()), ".*"], 13),
        lists in proptest::collection::vec(any::<(u64, u64, u64)>(), 2),
        counters in proptest::collection::vec(any::<u64>(), 12),
        segments in any::<(u64, u64, u64, u64)>(),
        words in proptest::collection::vec(any::<u32>(), 12),
        longs in proptest::collection::vec(any::<u64>(), 12),
        file in ".*",
    ) -> Tree {
        let mut tree = debian_12();
        for ((name, _), value) in DEBIAN_12.iter().zip(&values) {
            tree.put(0, &format!("/proc/sys/{name}"), value.as_bytes());
        }
        for ((least, default, most), name) in lists.iter().zip(["tcp_wmem", "tcp_mem"]) {
            tree.put(0, &format!("/proc/sys/net/ipv4/{name}"), format!("{least} {default} {most}"));
        }
        for at in 0..2 {
            let line: Vec<_> = counters.iter().skip(at * 6).take(6).map(u64::to_string).collect();
            tree.put(at, "/proc/net/netstat", format!("{NETSTAT}\nTcpExt: {}\n", line.join(" ")));
            let word = |index: usize| words[(index + at * 6) % 12];
            let long = |index: usize| longs[(index + at * 6) % 12];
            tree.put(at, "/.narrows/tcp.json", format!(
                r#"{{"totals":{{"sockets":{},"busy_us":{},"send_buffer_limited_us":{},"receive_window_limited_us":{},
                "p90_rtt_us":{}}},"busy":[{{"local":"a","remote":"b","rtt_us":{},"rtt_variance_us":{},
                "congestion_window":{},"retransmits_total":{},"last_send_ms":{},"segments_out":{},"bytes_acked":{},
                "busy_us":{},"send_buffer_limited_us":{},"receive_window_limited_us":{},
                "delivery_rate_bytes_per_s":{}}}]}}"#,
                long(0), long(1), long(2), long(3), word(0), word(1), word(2), word(3), word(4), word(5),
                long(4), long(5), long(6), long(7), long(8), long(9)));
        }
        tree.put(0, "/proc/net/snmp", format!("Tcp: OutSegs RetransSegs\nTcp: {} {}\n", segments.0, segments.1));
        tree.put(1, "/proc/net/snmp", format!("Tcp: OutSegs RetransSegs\nTcp: {} {}\n", segments.2, segments.3));
        tree.put(0, "/etc/sysctl.d/50-strange.conf", file.as_bytes());
        tree
    }
}

proptest! {
    #[test]
    fn no_host_however_strange_makes_a_cause_panic(tree in strange_host()) {
        outcomes(&reading::read_tree(&tree).unwrap());
    }
}
