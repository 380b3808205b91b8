//! Counters that wrap, fall or are reset, and clocks that jump or stand still: what follows, and what must not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/debian.rs"]
mod debian;

use debian::{
    FILES, Machine, alarms, assert_readable, assert_well, cause, netstat, present, report, symptoms,
};
use host::{Host, Tree};
use model::Verdict;

/// Puts each number of a file through a function.
fn mapped(text: &str, of: impl Fn(u64) -> u64) -> String {
    let word =
        |word: &str| word.parse::<u64>().map_or_else(|_| word.to_owned(), |number| of(number).to_string());
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn counters_that_wrap_at_32_bits_grow_on() {
    let plain = Machine::default().tree();
    let mut tree = Machine::default().tree();
    let wrap = |text: &str, base: &str| -> String {
        let bases: Vec<Vec<&str>> = base.lines().map(|line| line.split(' ').collect()).collect();
        let line = |(row, line): (usize, &str)| {
            let word = |(at, word): (usize, &str)| match (word.parse::<u64>(), bases[row][at].parse::<u64>())
            {
                (Ok(now), Ok(first)) if at > 2 => {
                    ((u64::from(u32::MAX) - 3 + (now - first)) % (1 << 32)).to_string()
                }
                _ => word.to_owned(),
            };
            line.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
        };
        text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    for path in ["/proc/diskstats", "/proc/net/netstat", "/proc/net/snmp"] {
        for instant in 0..2 {
            let (now, first) = (plain.at(instant).value(path).unwrap(), plain.at(0).value(path).unwrap());
            tree.put(instant, path, wrap(&now, &first));
        }
    }
    let report = assert_well(&tree);
    let (disk, plain) = (cause(&report, "disk.saturated"), debian::report(&plain));
    assert_eq!(disk.summary, cause(&plain, "disk.saturated").summary);
    assert_eq!(present(&report, "sockets.retransmissions-high"), Some(false));
}

#[test]
fn counters_that_go_backwards_confirm_nothing() {
    let counters = FILES.iter().filter(|path| {
        path.starts_with("/proc/")
            && !path.contains("/sys/")
            && !path.contains("self")
            && **path != "/proc/uptime"
    });
    let counters: Vec<_> =
        counters.chain(FILES.iter().filter(|path| path.contains("statistics"))).copied().collect();
    for one in counters.iter().map(|path| vec![*path]).chain([counters.clone()]) {
        let mut tree = Machine::default().tree();
        for path in &one {
            let (first, last) = (tree.at(0).read(path).unwrap(), tree.at(1).read(path).unwrap());
            tree.put(0, path, last);
            tree.put(1, path, first);
        }
        let report = report(&tree);
        assert_readable(&report);
        assert_eq!((alarms(&report), symptoms(&report)), (vec![], vec![]), "{one:?}");
    }
}

#[test]
fn counters_that_are_reset_confirm_nothing() {
    for divisor in [10, 1000, 1_000_000] {
        let mut tree = Machine::default().tree();
        for path in [
            "/proc/stat",
            "/proc/schedstat",
            "/proc/net/netstat",
            "/proc/net/snmp",
            "/proc/diskstats",
            "/proc/vmstat",
            "/proc/softirqs",
            "/proc/interrupts",
        ] {
            let text = tree.at(1).value(path).unwrap();
            tree.put(1, path, mapped(&text, |number| number / divisor));
        }
        let report = report(&tree);
        assert_readable(&report);
        assert_eq!((alarms(&report), symptoms(&report)), (vec![], vec![]), "{divisor}");
        assert_eq!(cause(&report, "cpu.work-exceeds-cpus").verdict, Verdict::Unknown);
    }
}

const YEAR_S: f64 = 31_557_600.0;

fn with_clocks(first: (f64, f64), last: (f64, f64)) -> Tree {
    let mut tree = Machine::default().tree();
    for (instant, (monotonic, unix)) in [(0, first), (1, last)] {
        tree.put(
            instant,
            "/.narrows/clock.json",
            format!(r#"{{"monotonic_s":{monotonic:?},"unix_s":{unix:?}}}"#),
        );
    }
    tree
}

#[test]
fn a_wall_clock_that_jumps_changes_no_rate() {
    let still = report(&with_clocks((500.0, 1.7e9), (510.0, 1.7e9 + 10.0)));
    for jump in [-YEAR_S, YEAR_S] {
        let tree = with_clocks((500.0, 1.7e9), (510.0, 1.7e9 + 10.0 + jump));
        let jumped = assert_well(&tree);
        assert!((jumped.window.seconds - 10.0).abs() < 1e-9);
        assert_eq!(jumped, still);
    }
}

#[test]
fn without_a_monotonic_clock_that_runs_there_are_no_rates() {
    for last in [500.0, 400.0, 1.0e308 * 1.7] {
        let first = if last > 1e300 { -last } else { 500.0 };
        let report = report(&with_clocks((first, 1.7e9), (last, 1.7e9 + 10.0)));
        assert_readable(&report);
        assert_eq!((alarms(&report), symptoms(&report)), (vec![], vec![]), "{last}");
        assert!(report.window.seconds.abs() < 1e-9, "{}", report.window.seconds);
        for id in [
            "cpu.work-exceeds-cpus",
            "memory.reclaim-stalls",
            "disk.saturated",
            "irq.skew",
            "cgroup.cpu-quota-exhausted",
        ] {
            assert_eq!(cause(&report, id).verdict, Verdict::Unknown, "{id} at {last}");
        }
        assert_eq!(present(&report, "disk.latency-high"), None);
    }
}

#[test]
fn no_listing_without_a_name_is_taken_for_quiet_counters() {
    let mut tree = Machine::default().tree();
    let quiet = netstat(1)
        .replace("ListenOverflows", "Other")
        .replace("ListenDrops", "Others")
        .replace("TCPReqQFullDrop", "Third");
    tree.put(0, "/proc/net/netstat", quiet.clone());
    tree.put(1, "/proc/net/netstat", quiet);
    assert_eq!(present(&report(&tree), "sockets.connections-refused"), None);
}
