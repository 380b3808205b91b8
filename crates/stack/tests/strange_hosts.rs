//! Hosts of odd shapes: what must be read of them, what must stay unknown, and what must never be confirmed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/debian.rs"]
mod debian;

use debian::{
    FILES, Machine, SECONDS, alarms, assert_readable, assert_well, cause, present, report, symptoms,
};
use host::{Host, Tree};
use model::Verdict;
use stack::reading;

fn machine(cpus: impl IntoIterator<Item = u32>) -> Machine {
    Machine { cpus: cpus.into_iter().collect(), ..Machine::default() }
}

/// Moves all control groups to version 1, or to version 1 beside version 2.
fn put_v1(tree: &mut Tree, hybrid: bool) {
    let unified = if hybrid { "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n" } else { "" };
    tree.put(
        0,
        "/proc/self/mounts",
        format!(
            "tmpfs /sys/fs/cgroup tmpfs ro 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
             cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n{unified}"
        ),
    );
    tree.put(
        0,
        "/proc/self/cgroup",
        "4:cpu,cpuacct:/system.slice\n3:memory:/system.slice\n0::/system.slice\n",
    );
    tree.put(0, "/sys/fs/cgroup/unified/cgroup.controllers", "\n");
    tree.put(0, "/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_quota_us", "-1\n");
    tree.put(0, "/sys/fs/cgroup/memory/system.slice/memory.limit_in_bytes", "9223372036854771712\n");
}

/// What a container lacks, with the `/proc/stat` of one CPU that lxcfs shows and the load of the host.
fn put_container(tree: &mut Tree) {
    for path in FILES.iter().filter(|path| path.starts_with("/proc/pressure") || path.contains("slabinfo")) {
        tree.remove(path);
    }
    for key in
        ["core/netdev_max_backlog", "core/rmem_max", "core/wmem_max", "ipv4/tcp_max_orphans", "ipv4/tcp_mem"]
    {
        tree.remove(&format!("/proc/sys/net/{key}"));
    }
    tree.remove("/sys/class/net/eth0/device");
    tree.remove("/sys/class/net/eth0/device/driver");
    tree.put(0, "/.narrows/links.json", r#"[{"index":7,"name":"eth0","kind":"veth","mtu":1500,"transmit_queue_length":1000,"receive_queues":1,"transmit_queues":1}]"#);
    let one = machine([0]);
    for (instant, at) in [(0, 10_000_u64), (1, 10_000 + SECONDS)] {
        let (schedule, load) =
            (tree.at(instant).read("/proc/schedstat").unwrap(), "41.00 40.00 40.00 9/2000 77\n");
        one.put_times(tree, instant, at);
        tree.put(instant, "/proc/schedstat", schedule);
        tree.put(instant, "/proc/loadavg", load);
        for resource in ["cpu", "io", "memory"] {
            tree.remove(&format!("/proc/pressure/{resource}"));
        }
    }
}

#[test]
fn a_default_host_is_well_in_every_shape() {
    for cpus in [1, 2, 4, 256] {
        let report = assert_well(&machine(0..cpus).tree());
        assert_eq!(report.host.cpus, Some(cpus));
    }
    for hybrid in [false, true] {
        let mut tree = Machine::default().tree();
        put_v1(&mut tree, hybrid);
        assert_well(&tree);
    }
}

#[test]
fn a_host_of_one_cpu_is_not_told_of_1_cpus() {
    let report = report(&machine(0..1).tree());
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("1 CPU") && !text.contains("1 CPUs"), "{text}");
}

#[test]
fn nothing_is_unknown_of_cpus_where_all_is_there() {
    let report = report(&machine(0..256).tree());
    for id in [
        "irq.skew",
        "irq.backlog-short",
        "cpu.work-exceeds-cpus",
        "cpu.reading-inconsistent",
        "disk.saturated",
    ] {
        assert_eq!(cause(&report, id).verdict, Verdict::RuledOut, "{id}");
    }
    let evidence = reading::read_tree(&machine(0..256).tree()).unwrap();
    let irq = evidence.readings[1].irq.facts().unwrap();
    assert_eq!((irq.columns.len(), irq.softnet.len(), irq.interrupts.len()), (256, 256, 257));
    assert_eq!((irq.skipped, evidence.readings[1].cpu.facts().unwrap().skipped), (0, 0));
}

#[test]
fn cpus_that_are_offline_leave_holes_and_no_alarm() {
    let report = assert_well(&machine([0, 2, 5, 63]).tree());
    assert_eq!(report.host.cpus, Some(4));
    assert!(cause(&report, "irq.skew").summary.contains("times the mean"));
}

#[test]
fn a_cpu_that_goes_offline_within_the_window_saturates_nothing() {
    let mut tree = machine(0..4).tree();
    // Idle time of an offline CPU is another counter: the sum of all falls far (fs/proc/stat.c, `get_idle_time`).
    let (before, after) = (tree.at(0).value("/proc/stat").unwrap(), tree.at(1).value("/proc/stat").unwrap());
    let words: Vec<_> = before.lines().next().unwrap().split_whitespace().map(str::to_owned).collect();
    let idle: u64 = words[4].parse().unwrap();
    let total = after.lines().next().unwrap().split_whitespace().enumerate();
    let total: Vec<_> = total
        .map(|(at, word)| if at == 4 { (idle - 600_000).to_string() } else { word.to_owned() })
        .collect();
    let rest: Vec<_> = after.lines().skip(1).filter(|line| !line.starts_with("cpu3 ")).collect();
    tree.put(1, "/proc/stat", format!("{}\n{}\n", total.join(" "), rest.join("\n")));
    let report = report(&tree);
    assert_eq!(alarms(&report), Vec::<String>::new());
    assert_eq!(present(&report, "cpu.saturated"), Some(false));
    assert!(cause(&report, "cpu.work-exceeds-cpus").summary.contains("71 % free"));
}

#[test]
fn without_ipv6_sockets_are_read_all_the_same() {
    let mut tree = Machine::default().tree();
    tree.remove("/proc/net/sockstat6");
    let report = assert_well(&tree);
    assert!(report.unread.iter().all(|unread| !unread.why.contains("sockstat")));
    assert_eq!(present(&report, "sockets.connections-refused"), Some(false));
}

#[test]
fn a_quota_that_runs_out_is_seen_in_both_versions_and_in_the_root_of_a_container() {
    for folder in ["/sys/fs/cgroup", "/sys/fs/cgroup/shop.slice", "v1"] {
        let mut tree = Machine::default().tree();
        let v1 = folder == "v1";
        let folder = if v1 { "/sys/fs/cgroup/cpu,cpuacct/shop" } else { folder };
        if v1 {
            put_v1(&mut tree, true);
            tree.put(0, &format!("{folder}/cpu.cfs_quota_us"), "50000\n");
            tree.put(0, &format!("{folder}/cpu.cfs_period_us"), "100000\n");
        } else {
            tree.put(0, &format!("{folder}/cpu.max"), "50000 100000\n");
        }
        for (instant, at) in [(0, 100_u64), (1, 200)] {
            let stat = format!(
                "usage_usec {}\nnr_periods {at}\nnr_throttled {}\nthrottled_usec {}\nthrottled_time {}\n",
                at * 48_000,
                at / 2,
                at * 9_000,
                at * 9_000_000
            );
            tree.put(instant, &format!("{folder}/cpu.stat"), stat);
            tree.put(instant, &format!("{folder}/cpuacct.usage"), format!("{}\n", at * 48_000_000));
        }
        let report = report(&tree);
        assert_eq!(alarms(&report).len(), 1, "{folder}: {:?}", alarms(&report));
        let quota = cause(&report, "cgroup.cpu-quota-exhausted");
        assert_eq!(quota.verdict, Verdict::Confirmed, "{folder}: {}", quota.summary);
        assert!(quota.summary.contains("0.48 of 0.5 CPUs, throttled in 50 %"), "{}", quota.summary);
    }
}

#[test]
fn a_container_of_one_cpu_on_a_big_host_has_no_alarm_and_says_what_it_cannot_see() {
    let mut tree = machine(0..64).tree();
    put_container(&mut tree);
    let report = assert_well(&tree);
    assert_eq!(report.host.cpus, Some(1));
    assert_eq!(cause(&report, "irq.backlog-raised-without-drops").verdict, Verdict::Unknown);
    assert_ne!(cause(&report, "memory.slab-table-inconsistent").verdict, Verdict::Confirmed);
    assert_eq!(present(&report, "cpu.load-high-while-idle"), None);
    assert_eq!(present(&report, "cpu.saturated"), Some(false));
}

#[test]
fn an_old_kernel_leaves_unknown_what_it_does_not_count() {
    let mut tree = machine(0..2).tree();
    for (instant, at) in [(0, 10_000), (1, 10_000 + SECONDS)] {
        tree.put(
            instant,
            "/proc/diskstats",
            format!(" 8 0 sda {} 0 9 9 {} 0 9 9 0 {at} {at}\n 8 1 sda1 1 2 3 4\n", at * 2, at * 3),
        );
        tree.put(
            instant,
            "/proc/meminfo",
            "MemTotal: 4000000 kB\nMemFree: 900000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nSReclaimable: 9 kB\n",
        );
        tree.put(
            instant,
            "/proc/net/netstat",
            format!("TcpExt: SyncookiesSent TW ListenOverflows ListenDrops\nTcpExt: 0 {at} 0 0\n"),
        );
        tree.put(
            instant,
            "/proc/net/softnet_stat",
            format!(
                "{at:08x} 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
            )
            .repeat(2),
        );
        tree.put(instant, "/proc/vmstat", "pswpin 0\npswpout 0\nallocstall 7\nworkingset_refault 3\n");
    }
    for path in ["/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory"] {
        tree.remove(path);
    }
    tree.put(0, "/proc/sys/kernel/osrelease", "3.10.0-1160.el7.x86_64\n");
    let report = assert_well(&tree);
    assert_eq!(cause(&report, "memory.dentry-flood").verdict, Verdict::Unknown);
    assert_eq!(cause(&report, "memory.reclaim-stalls").verdict, Verdict::RuledOut);
    assert_eq!(cause(&report, "sockets.accept-queue-overflow").verdict, Verdict::RuledOut);
    assert_eq!(present(&report, "irq.packets-dropped"), Some(false));
    let evidence = reading::read_tree(&tree).unwrap();
    let disk = evidence.readings[0].disk.facts().unwrap();
    assert_eq!((disk.devices.len(), disk.skipped), (1, 1));
    assert_eq!(disk.devices[0].flushes, None);
}

#[test]
fn columns_that_a_newer_kernel_appends_change_nothing() {
    let (plain, mut tree) = (Machine::default().tree(), Machine::default().tree());
    for instant in 0..2 {
        for path in ["/proc/stat", "/proc/net/softnet_stat", "/proc/diskstats"] {
            let text = plain.at(instant).value(path).unwrap();
            let longer: Vec<_> = text.lines().map(|line| format!("{line} 00000007 00000008")).collect();
            tree.put(instant, path, format!("{}\n", longer.join("\n")));
        }
        for path in ["/proc/net/netstat", "/proc/net/snmp"] {
            let lines = plain.at(instant).value(path).unwrap();
            let longer = lines.lines().enumerate().map(|(at, line)| {
                if at % 2 == 0 { format!("{line} NewOne\n") } else { format!("{line} 9\n") }
            });
            tree.put(instant, path, longer.collect::<String>());
        }
        let text = plain.at(instant).value("/proc/loadavg").unwrap();
        tree.put(instant, "/proc/loadavg", format!("{text} 12\n"));
    }
    assert_well(&tree);
    let verdicts = |tree: &Tree| {
        report(tree).causes.into_iter().map(|cause| (cause.id, cause.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&tree), verdicts(&plain));
}

#[test]
fn a_host_without_any_file_is_unknown_and_not_well() {
    let report = report(&Tree::in_memory(2));
    assert_readable(&report);
    assert_eq!((alarms(&report), symptoms(&report)), (vec![], vec![]));
    assert!(
        report.causes.iter().all(|cause| cause.verdict == Verdict::Unknown),
        "{:?}",
        report
            .causes
            .iter()
            .filter(|cause| cause.verdict != Verdict::Unknown)
            .map(|cause| (&cause.id, &cause.summary))
            .collect::<Vec<_>>()
    );
    assert!(report.symptoms.iter().all(|symptom| symptom.present.is_none()));
    assert!(report.stations.is_empty() && report.narrows.is_none());
    assert!(report.unread.len() >= 10);
}

/// A host whose every file holds the same.
fn filled(bytes: &[u8]) -> Tree {
    let mut tree = Machine::default().tree();
    for path in FILES.iter().filter(|path| **path != "/proc/uptime") {
        for instant in 0..2 {
            tree.put(instant, path, bytes);
        }
    }
    tree
}

#[test]
fn files_that_are_empty_or_garbage_prove_nothing() {
    let binary: Vec<u8> = (0..=255_u8).cycle().take(70_000).collect();
    let line = vec![b'7'; 1 << 20];
    let words = b"cpu 9 ".repeat(200_000);
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("newline", b"\n"),
        ("invalid", b"\xff\xfe cpu \xc3\x28\n\xf0\x28\x8c\x28: \x80 9\n"),
        ("binary", &binary),
        ("one line", &line),
        ("words", &words),
        ("zeros", &[0; 4096]),
        ("minus", b"-1\n"),
        ("nan", b"nan NaN inf\n"),
    ] {
        let report = report(&filled(bytes));
        assert_readable(&report);
        assert_eq!(alarms(&report), Vec::<String>::new(), "{name}");
        assert_eq!(symptoms(&report), Vec::<String>::new(), "{name}");
        for id in
            ["cpu.work-exceeds-cpus", "memory.reclaim-stalls", "sockets.accept-queue-overflow", "irq.skew"]
        {
            assert_eq!(
                cause(&report, id).verdict,
                Verdict::Unknown,
                "{name}: {id}: {}",
                cause(&report, id).summary
            );
        }
    }
}
