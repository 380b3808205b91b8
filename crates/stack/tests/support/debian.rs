//! Hosts made of files: a default Debian 12 web server at work, and what is said of a host.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fmt::Write;

use host::Tree;
use model::report::{CauseReport, Report};
use model::{Severity, Verdict};
use stack::{diagnose, reading};

/// Seconds between the two instants.
pub(crate) const SECONDS: u64 = 10;

/// What a host does, as shares of the time of one CPU and as rates.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// The numbers of the CPUs that are online.
    pub(crate) cpus: Vec<u32>,
    /// Memory in kB.
    pub(crate) memory_kb: u64,
    /// Percent of the time of each CPU that is user, system and soft-interrupt time, and I/O wait.
    pub(crate) percent: [u64; 4],
    /// Packets per second on each CPU.
    pub(crate) packets_per_s: u64,
}

impl Default for Machine {
    fn default() -> Self {
        Self { cpus: vec![0, 1, 2, 3], memory_kb: 8_000_000, percent: [22, 6, 1, 1], packets_per_s: 800 }
    }
}

const SYSCTLS: &[(&str, &str)] = &[
    ("fs/dentry-state", "120000\t90000\t45\t0\t30000\t0"),
    ("fs/file-nr", "2048\t0\t9223372036854775807"),
    ("kernel/hostname", "web1"),
    ("kernel/osrelease", "6.1.0-18-amd64"),
    ("net/core/default_qdisc", "pfifo_fast"),
    ("net/core/netdev_budget", "300"),
    ("net/core/netdev_budget_usecs", "8000"),
    ("net/core/netdev_max_backlog", "1000"),
    ("net/core/optmem_max", "20480"),
    ("net/core/rmem_default", "212992"),
    ("net/core/rmem_max", "212992"),
    ("net/core/rps_sock_flow_entries", "0"),
    ("net/core/somaxconn", "4096"),
    ("net/core/wmem_default", "212992"),
    ("net/core/wmem_max", "212992"),
    ("net/ipv4/ip_local_port_range", "32768\t60999"),
    ("net/ipv4/ip_local_reserved_ports", ""),
    ("net/ipv4/tcp_available_congestion_control", "reno cubic"),
    ("net/ipv4/tcp_congestion_control", "cubic"),
    ("net/ipv4/tcp_fastopen", "1"),
    ("net/ipv4/tcp_fin_timeout", "60"),
    ("net/ipv4/tcp_max_orphans", "32768"),
    ("net/ipv4/tcp_max_syn_backlog", "512"),
    ("net/ipv4/tcp_max_tw_buckets", "32768"),
    ("net/ipv4/tcp_mem", "90000\t120000\t180000"),
    ("net/ipv4/tcp_orphan_retries", "0"),
    ("net/ipv4/tcp_rmem", "4096\t131072\t6291456"),
    ("net/ipv4/tcp_slow_start_after_idle", "1"),
    ("net/ipv4/tcp_syncookies", "1"),
    ("net/ipv4/tcp_timestamps", "1"),
    ("net/ipv4/tcp_tw_reuse", "2"),
    ("net/ipv4/tcp_wmem", "4096\t16384\t4194304"),
    ("vm/dirty_background_ratio", "10"),
    ("vm/dirty_ratio", "20"),
    ("vm/min_free_kbytes", "67584"),
    ("vm/overcommit_memory", "0"),
    ("vm/swappiness", "60"),
    ("vm/vfs_cache_pressure", "100"),
];

/// The names and values of a `TcpExt` pair of lines: a few that causes look at, quiet but for TIME_WAIT.
pub(crate) fn netstat(at: u64) -> String {
    let names = "SyncookiesSent EmbryonicRsts PruneCalled TW TWRecycled TWKilled ListenOverflows ListenDrops TCPTimeWaitOverflow \
                 TCPReqQFullDoCookies TCPReqQFullDrop TCPAbortOnTimeout TCPAbortOnMemory TCPLostRetransmit TCPTimeouts";
    let tw = 9000 + at * 40;
    format!(
        "TcpExt: {names}\nTcpExt: 0 3 0 {tw} 5 0 0 0 0 0 0 20 0 4 90\nIpExt: InOctets OutOctets\nIpExt: 1 2\n"
    )
}

impl Machine {
    /// The host as a tree of two instants.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::in_memory(2);
        for (name, value) in SYSCTLS {
            tree.put(0, &format!("/proc/sys/{name}"), format!("{value}\n"));
        }
        tree.put(0, "/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
        tree.put(0, "/etc/fstab", "UUID=1-2 / ext4 errors=remount-ro 0 1\n");
        tree.put(0, "/etc/sysctl.conf", "# nothing is set here\n");
        tree.put(0, "/etc/sysctl.d/README.sysctl", "nothing\n");
        tree.put(0, "/proc/self/mountstats", "device /dev/vda1 mounted on / with fstype ext4\n");
        tree.put(0, "/proc/self/mounts", "/dev/vda1 / ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
        tree.put(0, "/proc/self/cgroup", "0::/system.slice/ssh.service\n");
        tree.put(0, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        tree.put(0, "/sys/fs/cgroup/system.slice/ssh.service/memory.max", "max\n");
        self.interfaces(&mut tree);
        for (instant, at) in [(0, 10_000), (1, 10_000 + SECONDS)] {
            self.put_times(&mut tree, instant, at);
            self.put_counters(&mut tree, instant, at);
            put_tasks(&mut tree, instant, at);
        }
        tree
    }

    fn interfaces(&self, tree: &mut Tree) {
        tree.put_link(0, "/sys/class/net/eth0/device", "../../../virtio0");
        tree.put_link(0, "/sys/class/net/eth0/device/driver", "../../../../bus/virtio/drivers/virtio_net");
        tree.put(0, "/sys/class/net/eth0/operstate", "up\n");
        tree.put(0, "/sys/class/net/lo/operstate", "unknown\n");
        tree.put(0, "/sys/class/net/eth0/mtu", "1500\n");
        tree.put(0, "/sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n");
        let queues = self.cpus.len();
        tree.put(0, "/.narrows/ethtool/eth0.json", format!(
            r#"{{"driver":"virtio_net","channels":{{"combined":{queues},"combined_max":{queues}}},"ring":{{"receive":256,"receive_max":256,"transmit":256,"transmit_max":256}}}}"#
        ));
        tree.put(
            0,
            "/.narrows/listeners.json",
            r#"[{"family":"inet4","local":"0.0.0.0:80","port":80,"waiting":1,"backlog":511},
                {"family":"unix","local":"/run/php/php8.2-fpm.sock","waiting":0,"backlog":511}]"#,
        );
        tree.put(
            0,
            "/.narrows/tcp.json",
            r#"{"destinations":[{"local":"127.0.0.1","remote":"127.0.0.1","port":3306,"established":20,"time_wait":300,"in_range":320}],
                "services":[{"port":80,"established":90,"time_wait":400,"fin_wait2":12,"syn_received":2}],
                "states":{"established":113,"time-wait":700,"fin-wait-2":12,"listen":4}}"#,
        );
    }

    /// `/proc/stat` and its kin at so many seconds after boot.
    pub(crate) fn put_times(&self, tree: &mut Tree, instant: usize, at: u64) {
        let [user, system, soft, iowait] = self.percent.map(|percent| percent * at);
        let idle = (100 - self.percent.iter().sum::<u64>()) * at;
        let row = |n: u64| {
            format!("{} 0 {} {} {} 0 {} 0 0 0", user * n, system * n, idle * n, iowait * n, soft * n)
        };
        let count = self.cpus.len() as u64;
        let rows = self.cpus.iter().fold(String::new(), |mut rows, cpu| {
            let _ = writeln!(rows, "cpu{cpu} {}", row(1));
            rows
        });
        tree.put(instant, "/proc/uptime", format!("{at}.00 {at}.00\n"));
        tree.put(
            instant,
            "/proc/stat",
            format!("cpu  {}\n{rows}intr 1 2 3\nctxt {}\nbtime 1700000000\nprocesses {}\nprocs_running 1\nprocs_blocked 0\n", row(count), at * 9000, at * 9),
        );
        let load = self.percent[0] * count;
        tree.put(
            instant,
            "/proc/loadavg",
            format!("{}.{:02} 0.50 0.40 1/200 4242\n", load / 100, load % 100),
        );
        let pressure = |micros: u64| {
            format!(
                "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
                at * micros
            )
        };
        for (resource, micros) in [("cpu", 20_000), ("io", 4_000), ("memory", 0)] {
            tree.put(instant, &format!("/proc/pressure/{resource}"), pressure(micros));
        }
        let schedule = self.cpus.iter().fold("version 15\n".to_owned(), |mut rows, cpu| {
            let _ = writeln!(rows, "cpu{cpu} 0 0 0 0 0 0 {} {} {at}", at * 290_000_000, at * 9_000_000);
            rows
        });
        tree.put(instant, "/proc/schedstat", schedule);
    }

    fn put_counters(&self, tree: &mut Tree, instant: usize, at: u64) {
        let packets = at * self.packets_per_s;
        let columns = |name: &dyn Fn(u32) -> String| {
            self.cpus.iter().map(|cpu| name(*cpu)).collect::<Vec<_>>().join(" ")
        };
        let header = columns(&|cpu| format!("CPU{cpu}"));
        let softirqs = columns(&|_| packets.to_string());
        let interrupts = (0..self.cpus.len()).fold(format!("  {header}\n"), |mut rows, queue| {
            let counts: Vec<_> = (0..self.cpus.len())
                .map(|at| if at == queue { packets.to_string() } else { "0".to_owned() })
                .collect();
            let _ = writeln!(
                rows,
                "{}: {} PCI-MSIX-0000:00:02.0 {}-edge virtio0-input.{queue}",
                24 + queue,
                counts.join(" "),
                queue + 1
            );
            rows
        });
        let softnet = self.cpus.iter().fold(String::new(), |mut rows, cpu| {
            let _ = writeln!(rows, "{packets:08x} 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 {cpu:08x}");
            rows
        });
        for (queue, cpu) in self.cpus.iter().enumerate() {
            tree.put(0, &format!("/proc/irq/{}/smp_affinity_list", 24 + queue), format!("{cpu}\n"));
        }
        tree.put(instant, "/proc/interrupts", format!("{interrupts}ERR: 0\n"));
        tree.put(
            instant,
            "/proc/softirqs",
            format!("  {header}\nTIMER: {softirqs}\nNET_TX: {softirqs}\nNET_RX: {softirqs}\n"),
        );
        tree.put(instant, "/proc/net/softnet_stat", softnet);
        let all = packets * self.cpus.len() as u64;
        for (name, value) in [
            ("rx_packets", all),
            ("rx_bytes", all * 400),
            ("tx_packets", all),
            ("tx_bytes", all * 900),
            ("rx_dropped", 12),
            ("rx_missed_errors", 0),
        ] {
            tree.put(instant, &format!("/sys/class/net/eth0/statistics/{name}"), format!("{value}\n"));
        }
        tree.put(instant, "/.narrows/qdiscs.json", format!(
            r#"[{{"interface":"eth0","index":2,"handle":"8001:","kind":"fq_codel","parent":"root","packets":{all},"bytes":{},"drops":0,"backlog_packets":0,"backlog_bytes":0}}]"#,
            all * 900
        ));
        tree.put(instant, "/proc/net/netstat", netstat(at));
        let sent = at * 2000;
        tree.put(instant, "/proc/net/snmp", format!("Tcp: MaxConn ActiveOpens PassiveOpens InSegs OutSegs RetransSegs\nTcp: -1 {} {} {sent} {sent} {}\n", at * 5, at * 40, sent / 1000));
        tree.put(
            instant,
            "/proc/net/sockstat",
            "sockets: used 300\nTCP: inuse 40 orphan 1 tw 700 alloc 60 mem 30\nUDP: inuse 3 mem 1\n",
        );
        tree.put(instant, "/proc/net/sockstat6", "TCP6: inuse 4\n");
        tree.put(
            instant,
            "/proc/diskstats",
            format!(
                " 254 0 vda {} 0 {} {} {} 0 {} {} 0 {} {} 0 0 0 0 0 0\n",
                at * 20,
                at * 640,
                at * 12,
                at * 30,
                at * 900,
                at * 30,
                at * 25,
                at * 42
            ),
        );
        tree.put(0, "/sys/block/vda/queue/scheduler", "[mq-deadline] none\n");
        tree.put(0, "/sys/block/vda/queue/rotational", "0\n");
        let total = self.memory_kb;
        tree.put(instant, "/proc/meminfo", format!(
            "MemTotal: {total} kB\nMemFree: {} kB\nMemAvailable: {} kB\nCached: {} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nSlab: 300000 kB\nSReclaimable: 220000 kB\n",
            total / 8, total / 2, total / 3
        ));
        tree.put(instant, "/proc/vmstat", "pswpin 0\npswpout 0\nallocstall_dma 0\nallocstall_normal 12\nworkingset_refault_anon 0\nworkingset_refault_file 900\nslabs_scanned 5000\n");
        tree.put(instant, "/proc/slabinfo", "slabinfo - version: 2.1\ndentry 118000 119994 192 21 1 : tunables 0 0 0 : slabdata 5714 5714 0\n");
    }
}

fn put_tasks(tree: &mut Tree, instant: usize, at: u64) {
    for (pid, name) in [(1, "systemd"), (700, "nginx"), (800, "php-fpm8.2"), (900, "mariadbd")] {
        let line = format!(
            "{pid} ({name}) S 1 1 1 0 -1 4194560 5 6 0 0 {} {} 0 0 20 0 1 0 100 1000 50\n",
            at * 2,
            at
        );
        tree.put(instant, &format!("/proc/{pid}/stat"), line);
        tree.put(instant, &format!("/proc/{pid}/wchan"), "ep_poll");
    }
}

/// What narrows says of a tree.
pub(crate) fn report(tree: &Tree) -> Report {
    diagnose(&reading::read_tree(tree).unwrap())
}

/// The cause of this identity.
pub(crate) fn cause<'a>(report: &'a Report, id: &str) -> &'a CauseReport {
    report.causes.iter().find(|cause| cause.id == id).unwrap_or_else(|| panic!("no cause {id}"))
}

/// Whether a symptom is there; `None` when that could not be told.
pub(crate) fn present(report: &Report, id: &str) -> Option<bool> {
    report
        .symptoms
        .iter()
        .find(|symptom| symptom.id == id)
        .unwrap_or_else(|| panic!("no symptom {id}"))
        .present
}

/// Confirmed causes above hygiene, each with its numbers.
pub(crate) fn alarms(report: &Report) -> Vec<String> {
    let confirmed = report.causes.iter().filter(|cause| cause.verdict == Verdict::Confirmed);
    let loud = confirmed.filter(|cause| cause.severity > Some(Severity::Hygiene));
    loud.map(|cause| format!("{}: {}", cause.id, cause.summary)).collect()
}

/// Symptoms that are there, each with its numbers.
pub(crate) fn symptoms(report: &Report) -> Vec<String> {
    let present = report.symptoms.iter().filter(|symptom| symptom.present == Some(true));
    present.map(|symptom| format!("{}: {}", symptom.id, symptom.summary)).collect()
}

/// That a host has no alarm and no symptom, and that its report is one that can be read back.
#[track_caller]
pub(crate) fn assert_well(tree: &Tree) -> Report {
    let report = report(tree);
    assert_eq!(alarms(&report), Vec::<String>::new());
    assert_eq!(symptoms(&report), Vec::<String>::new());
    assert_readable(&report);
    report
}

/// That the report is JSON of its own schema (which a number that became `null` is not), and shows no NaN or infinity.
#[track_caller]
pub(crate) fn assert_readable(report: &Report) {
    let text = serde_json::to_string(report).unwrap();
    let back: Report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    // Serialised again: a number may lose its last bit on the way, but none may come or go.
    let shape = |report: &Report| serde_json::to_value(report).unwrap();
    assert_eq!(nulls(&shape(&back)), nulls(&serde_json::from_str(&text).unwrap()));
    for word in ["NaN", "\"inf", " inf ", "∞", "-inf"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    for station in &report.stations {
        let numbers = [
            station.utilization,
            station.headroom,
            station.saturates_at_times,
            station.station.busy,
            station.station.lost_per_s,
        ];
        assert!(numbers.iter().flatten().all(|number| number.is_finite()), "{station:?}");
    }
}

fn nulls(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Null => 1,
        serde_json::Value::Array(values) => values.iter().map(nulls).sum(),
        serde_json::Value::Object(fields) => fields.values().map(nulls).sum(),
        _ => 0,
    }
}

/// Every file of a tree in memory that the host above holds, for damage to all of them.
pub(crate) const FILES: &[&str] = &[
    "/proc/stat",
    "/proc/loadavg",
    "/proc/schedstat",
    "/proc/pressure/cpu",
    "/proc/pressure/io",
    "/proc/pressure/memory",
    "/proc/interrupts",
    "/proc/softirqs",
    "/proc/net/softnet_stat",
    "/proc/net/netstat",
    "/proc/net/snmp",
    "/proc/net/sockstat",
    "/proc/net/sockstat6",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/slabinfo",
    "/proc/self/mountstats",
    "/proc/self/mounts",
    "/proc/self/cgroup",
    "/etc/fstab",
    "/etc/sysctl.conf",
    "/proc/sys/fs/dentry-state",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/net/ipv4/tcp_rmem",
    "/proc/sys/net/ipv4/ip_local_port_range",
    "/proc/sys/net/ipv4/tcp_max_tw_buckets",
    "/proc/sys/vm/swappiness",
    "/sys/class/net/eth0/statistics/rx_packets",
    "/sys/class/net/eth0/statistics/rx_missed_errors",
    "/sys/class/net/eth0/mtu",
    "/sys/fs/cgroup/cgroup.controllers",
    "/.narrows/listeners.json",
    "/.narrows/tcp.json",
    "/.narrows/qdiscs.json",
    "/.narrows/ethtool/eth0.json",
    "/proc/1/stat",
    "/proc/900/stat",
    "/proc/uptime",
];
