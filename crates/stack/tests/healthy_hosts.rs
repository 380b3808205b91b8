//! Hosts that work hard and are well: what looks alarming there must not be confirmed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/debian.rs"]
mod debian;

use debian::{Machine, SECONDS, alarms, assert_readable, assert_well, cause, netstat, report, symptoms};
use host::{Host, Tree};
use model::Verdict;

/// The two instants and their seconds after boot.
const INSTANTS: [(usize, u64); 2] = [(0, 10_000), (1, 10_000 + SECONDS)];

fn put_memory(tree: &mut Tree, lines: &str) {
    tree.put(0, "/proc/meminfo", lines);
    tree.put(1, "/proc/meminfo", lines);
}

fn put_pressure(tree: &mut Tree, resource: &str, micros_per_s: u64) {
    for (instant, at) in INSTANTS {
        let total = at * micros_per_s;
        let line = format!("avg10=1.00 avg60=1.00 avg300=1.00 total={total}\n");
        tree.put(instant, &format!("/proc/pressure/{resource}"), format!("some {line}full {line}"));
    }
}

fn put_vmstat(tree: &mut Tree, rates: &[(&str, u64)]) {
    for (instant, at) in INSTANTS {
        let lines: String = rates.iter().map(|(name, per_s)| format!("{name} {}\n", per_s * at)).collect();
        tree.put(instant, "/proc/vmstat", lines);
    }
}

#[test]
fn wordpress_beside_its_database_with_a_full_page_cache_is_well() {
    let shop = Machine { percent: [30, 8, 1, 2], ..Machine::default() };
    let mut tree = shop.tree();
    put_memory(
        &mut tree,
        "MemTotal: 8000000 kB\nMemFree: 110000 kB\nMemAvailable: 2600000 kB\nCached: 2900000 kB\nSwapTotal: 0 kB\n\
         SwapFree: 0 kB\nSlab: 700000 kB\nSReclaimable: 560000 kB\n",
    );
    // A full cache is reclaimed in the background all the time; now and then an allocation helps.
    let rates = [
        ("pswpin", 0),
        ("pswpout", 0),
        ("allocstall_dma", 0),
        ("allocstall_normal", 1),
        ("slabs_scanned", 900),
    ];
    put_vmstat(
        &mut tree,
        &[&rates[..], &[("workingset_refault_file", 300), ("workingset_refault_anon", 0)]].concat(),
    );
    put_pressure(&mut tree, "memory", 3_000);
    put_pressure(&mut tree, "cpu", 180_000);
    put_pressure(&mut tree, "io", 30_000);
    let report = assert_well(&tree);
    assert_eq!(cause(&report, "memory.reclaim-stalls").verdict, Verdict::RuledOut);
    assert!(report.narrows.as_ref().unwrap().sentence.contains("Nothing holds this host back now"));
}

#[test]
fn a_busy_proxy_with_60_000_time_wait_sockets_of_its_own_service_is_well() {
    let proxy = Machine { percent: [14, 12, 9, 0], packets_per_s: 30_000, ..Machine::default() };
    let mut tree = proxy.tree();
    for (instant, at) in INSTANTS {
        tree.put(instant, "/proc/net/netstat", netstat(at * 25));
        let opens = at * 1000;
        tree.put(
            instant,
            "/proc/net/snmp",
            format!(
                "Tcp: ActiveOpens PassiveOpens OutSegs RetransSegs\nTcp: {} {opens} {} {}\n",
                at * 20,
                at * 60_000,
                at * 200
            ),
        );
        tree.put(instant, "/proc/net/sockstat", "TCP: inuse 9000 orphan 300 tw 60000 alloc 9400 mem 20000\n");
    }
    tree.put(0, "/proc/sys/net/ipv4/tcp_max_tw_buckets", "262144");
    tree.put(0, "/proc/sys/net/ipv4/tcp_max_orphans", "262144");
    tree.put(
        0,
        "/.narrows/tcp.json",
        r#"{"destinations":[{"local":"10.0.0.2","remote":"10.0.0.9","port":8080,"established":400,"time_wait":900,"in_range":1300}],
            "services":[{"port":443,"established":8600,"time_wait":60000,"fin_wait2":600,"syn_received":40}],
            "states":{"established":9000,"time-wait":60900,"fin-wait-2":600,"listen":4}}"#,
    );
    let report = assert_well(&tree);
    let ports = cause(&report, "sockets.ephemeral-ports-exhausted");
    assert_eq!(ports.verdict, Verdict::RuledOut, "{}", ports.summary);
    assert_eq!(cause(&report, "sockets.time-wait-table-full").verdict, Verdict::RuledOut);
}

#[test]
fn a_host_that_once_swapped_and_reads_a_page_back_now_and_then_is_well() {
    let mut tree = Machine::default().tree();
    put_memory(
        &mut tree,
        "MemTotal: 8000000 kB\nMemFree: 200000 kB\nMemAvailable: 3100000 kB\nCached: 3000000 kB\nSwapTotal: 2000000 kB\n\
         SwapFree: 1700000 kB\nSlab: 300000 kB\nSReclaimable: 220000 kB\n",
    );
    put_vmstat(
        &mut tree,
        &[
            ("pswpin", 3),
            ("pswpout", 1),
            ("allocstall_normal", 0),
            ("workingset_refault_file", 20),
            ("slabs_scanned", 10),
        ],
    );
    tree.put(0, "/proc/sys/vm/swappiness", "10");
    let report = assert_well(&tree);
    assert_eq!(cause(&report, "memory.swap-thrash").verdict, Verdict::RuledOut);
    assert_eq!(cause(&report, "memory.swappiness-inert").verdict, Verdict::RuledOut);
}

/// A pod whose counters grow by so much in the window: periods, throttled periods and microseconds of them, and usage.
fn put_pod(tree: &mut Tree, number: usize, grown: [u64; 4]) {
    let folder = format!("/sys/fs/cgroup/kubepods.slice/kubepods-pod{number}.slice");
    tree.put(0, &format!("{folder}/cpu.max"), "50000 100000\n");
    tree.put(0, &format!("{folder}/memory.max"), "536870912\n");
    tree.put(0, &format!("{folder}/memory.current"), "530000000\n");
    tree.put(
        0,
        &format!("{folder}/memory.stat"),
        "active_file 200000000\ninactive_file 150000000\nslab_reclaimable 9000000\n",
    );
    for instant in 0..2_u64 {
        let [periods, throttled, micros, used] = grown.map(|count| 1_000_000 + count * instant);
        let stat = format!(
            "usage_usec {used}\nnr_periods {periods}\nnr_throttled {throttled}\nthrottled_usec {micros}\n"
        );
        tree.put(usize::try_from(instant).unwrap(), &format!("{folder}/cpu.stat"), stat);
        let met = format!("low 0\nhigh 0\nmax {}\noom 0\noom_kill 0\n", 500 + 90 * instant);
        tree.put(usize::try_from(instant).unwrap(), &format!("{folder}/memory.events"), met);
    }
}

#[test]
fn pods_that_meet_a_quota_once_and_fill_their_limit_with_file_pages_are_well() {
    let mut tree = Machine { cpus: (0..16).collect(), memory_kb: 64_000_000, ..Machine::default() }.tree();
    for pod in 0..110 {
        put_pod(&mut tree, pod, [14, 1, 30_000, 90_000]);
    }
    let report = assert_well(&tree);
    assert_eq!(cause(&report, "cgroup.memory-limit-reached").verdict, Verdict::Consistent);
}

#[test]
fn a_node_of_throttled_pods_has_that_confirmed_and_nothing_of_the_node() {
    let mut tree = Machine { cpus: (0..16).collect(), memory_kb: 64_000_000, ..Machine::default() }.tree();
    for pod in 0..110 {
        put_pod(
            &mut tree,
            pod,
            if pod % 2 == 0 { [100, 60, 2_000_000, 4_900_000] } else { [100, 0, 0, 900_000] },
        );
    }
    let report = report(&tree);
    assert_readable(&report);
    assert_eq!(alarms(&report).len(), 1, "{:?}", alarms(&report));
    assert!(alarms(&report)[0].starts_with("cgroup.cpu-quota-exhausted: /kubepods.slice/kubepods-pod"));
    assert_eq!(symptoms(&report).len(), 1, "{:?}", symptoms(&report));
    for id in ["cpu.work-exceeds-cpus", "memory.reclaim-stalls", "irq.skew"] {
        assert_eq!(cause(&report, id).verdict, Verdict::RuledOut, "{id}");
    }
    // Remedies of a few pods, never a list of all.
    assert!(cause(&report, "cgroup.cpu-quota-exhausted").remedies.len() <= 4);
}

#[test]
fn a_database_of_64_cores_that_keeps_its_nvme_busy_all_the_time_is_well() {
    let mut tree = Machine {
        cpus: (0..64).collect(),
        memory_kb: 256_000_000,
        percent: [35, 7, 1, 3],
        ..Machine::default()
    }
    .tree();
    for (instant, at) in INSTANTS {
        // 40,000 requests/s of 0.15 ms: 6 in flight, and never a moment without one.
        let (reads, writes) = (at * 30_000, at * 10_000);
        tree.put(
            instant,
            "/proc/diskstats",
            format!(
                " 259 0 nvme0n1 {reads} 0 {} {} {writes} 0 {} {} 6 {} {} 0 0 0 0 0 0\n",
                reads * 32,
                at * 4500,
                writes * 32,
                at * 1500,
                at * 1000,
                at * 6000
            ),
        );
    }
    tree.remove("/sys/block/vda/queue/scheduler");
    tree.remove("/sys/block/vda/queue/rotational");
    tree.put(0, "/sys/block/nvme0n1/queue/scheduler", "[none] mq-deadline\n");
    tree.put(0, "/sys/block/nvme0n1/queue/rotational", "0\n");
    put_memory(
        &mut tree,
        "MemTotal: 256000000 kB\nMemFree: 3000000 kB\nMemAvailable: 40000000 kB\nCached: 30000000 kB\nSwapTotal: 0 kB\n\
         SwapFree: 0 kB\nHugePages_Total: 0\nSlab: 2000000 kB\nSReclaimable: 1500000 kB\n",
    );
    put_pressure(&mut tree, "io", 250_000);
    put_pressure(&mut tree, "cpu", 300_000);
    let report = assert_well(&tree);
    let disk = cause(&report, "disk.saturated");
    assert_eq!(disk.verdict, Verdict::Consistent, "{}", disk.summary);
    // Busy all the time is no limit of a disk that serves requests in parallel.
    let narrows = report.narrows.as_ref().unwrap();
    assert_eq!(narrows.station, "cpu.cpus", "{}", narrows.sentence);
    assert!(narrows.breaks_at_times > 2.0);
    assert!(tree.at(0).read("/sys/block/nvme0n1/queue/rotational").is_ok());
}

#[test]
fn a_backup_at_low_priority_that_takes_all_idle_time_is_no_lack_of_cpus() {
    let mut tree = Machine::default().tree();
    for (instant, _) in INSTANTS {
        let stat = tree.at(instant).value("/proc/stat").unwrap();
        let niced = |line: &str| {
            let mut words: Vec<_> = line.split_whitespace().collect();
            if line.starts_with("cpu") {
                words.swap(2, 4);
            }
            words.join(" ")
        };
        tree.put(instant, "/proc/stat", stat.lines().map(niced).collect::<Vec<_>>().join("\n") + "\n");
    }
    put_pressure(&mut tree, "cpu", 700_000);
    let report = report(&tree);
    assert_eq!(alarms(&report), Vec::<String>::new());
    let cpus = cause(&report, "cpu.work-exceeds-cpus");
    assert_eq!(cpus.verdict, Verdict::Consistent);
    assert!(cpus.summary.contains("70 % at low priority"), "{}", cpus.summary);
}
