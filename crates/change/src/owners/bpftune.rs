//! bpftune, a daemon that tunes kernel parameters while it runs (<https://github.com/oracle/bpftune>).

use super::Claim;

/// What each tuner of bpftune writes, from the tables of tunables in its source.
const TUNERS: [(&str, &[&str]); 7] = [
    (
        "tcp_buffer_tuner.so",
        &["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_mem", "net.ipv4.tcp_max_orphans"],
    ),
    (
        "net_buffer_tuner.so",
        &[
            "net.core.netdev_max_backlog",
            "net.core.flow_limit_cpu_bitmap",
            "net.core.netdev_budget",
            "net.core.netdev_budget_usecs",
        ],
    ),
    (
        "udp_buffer_tuner.so",
        &[
            "net.ipv4.udp_mem",
            "net.core.rmem_max",
            "net.core.rmem_default",
            "net.core.wmem_max",
            "net.core.wmem_default",
        ],
    ),
    ("tcp_conn_tuner.so", &["net.ipv4.tcp_congestion_control", "net.ipv4.tcp_allowed_congestion_control"]),
    (
        "neigh_table_tuner.so",
        &[
            "net.ipv4.neigh.default.gc_thresh1",
            "net.ipv4.neigh.default.gc_thresh2",
            "net.ipv4.neigh.default.gc_thresh3",
            "net.ipv6.neigh.default.gc_thresh1",
            "net.ipv6.neigh.default.gc_thresh2",
            "net.ipv6.neigh.default.gc_thresh3",
        ],
    ),
    ("route_table_tuner.so", &["net.ipv6.route.max_size"]),
    ("ip_frag_tuner.so", &["net.ipv4.ipfrag_high_thresh", "net.ipv6.ip6frag_high_thresh"]),
];

/// The claim of a running bpftune on a kernel parameter.
pub(super) fn claim(key: &str) -> Option<Claim> {
    let (tuner, _) = TUNERS.iter().find(|(_, keys)| keys.contains(&key))?;
    Some(Claim::new(
        format!("bpftune is running and tunes {key} itself"),
        format!("bpftune, {tuner}"),
        format!("leave {key} to bpftune, or start it with an allowlist (`bpftune -a`) without {tuner}"),
    ))
}
