//! Feeds numbers that no sound kernel prints to the layers of CPUs, memory and control groups.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;

use host::Tree;
use proptest::prelude::*;
use stack::{layers, reading};

const LAYERS: &[&str] = &["cpu", "memory", "cgroup"];

/// Numbers at the ends of every type that a parser or a formula may use.
fn number() -> impl Strategy<Value = u64> {
    let ends = [0, 1, 99, 100, 4096, u64::from(u32::MAX), 1 << 53, i64::MAX as u64, u64::MAX - 1, u64::MAX];
    prop_oneof![proptest::sample::select(ends.to_vec()), any::<u64>()]
}

fn rows(names: &[&str], numbers: &[u64], unit: &str) -> String {
    let mut numbers = numbers.iter().cycle();
    names.iter().fold(String::new(), |mut text, name| {
        let _ = writeln!(text, "{name} {}{unit}", numbers.next().unwrap());
        text
    })
}

fn times(label: &str, numbers: &[u64]) -> String {
    let words: Vec<_> = numbers.iter().map(u64::to_string).collect();
    format!("{label} {}\n", words.join(" "))
}

fn fill(tree: &mut Tree, instant: usize, n: &[u64]) {
    let mut put = |path: &str, text: String| tree.put(instant, path, text);
    let rotated = |by: usize| n.iter().cycle().skip(by).take(10).copied().collect::<Vec<_>>();
    let pressure = format!(
        "some avg10=1 avg60=1 avg300=1 total={}\nfull avg10=1 avg60=1 avg300=1 total={}\n",
        n[0], n[1]
    );
    put("/proc/uptime", format!("{}.0 0\n", 1000 + instant * 10));
    put(
        "/proc/stat",
        times("cpu", n)
            + &times("cpu0", &rotated(3))
            + &times("cpu9", &rotated(5))
            + &rows(&["procs_running", "procs_blocked"], n, ""),
    );
    put("/proc/loadavg", format!("{} {} {} {}/{} 1\n", n[2], n[3], n[4], n[5], n[6]));
    for resource in ["cpu", "io", "memory"] {
        put(&format!("/proc/pressure/{resource}"), pressure.clone());
    }
    put("/proc/schedstat", format!("version 15\ncpu0 0 0 0 0 0 0 {} {} 0\n", n[7], n[8]));
    put(
        "/proc/meminfo",
        rows(&["MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:", "Slab:", "SReclaimable:"], n, " kB"),
    );
    put(
        "/proc/vmstat",
        rows(&["pswpin", "pswpout", "allocstall_normal", "workingset_refault_file", "slabs_scanned"], n, ""),
    );
    put(
        "/proc/slabinfo",
        format!(
            "dentry {} {} {} {} {} : tunables 0 0 0 : slabdata {} {} 0\n",
            n[0], n[1], n[2], n[3], n[4], n[5], n[6]
        ),
    );
    put("/proc/sys/fs/dentry-state", times("", n));
    put("/proc/sys/vm/vfs_cache_pressure", n[1].to_string());
    put("/proc/sys/vm/swappiness", n[2].to_string());
    put("/proc/diskstats", " 254 0 vda 1000 0 8000 500 2000 0 16000 1000 0 10000 12000\n".to_owned());
    put("/proc/7/stat", "7 (mariadbd) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 100 0 0\n".to_owned());
    put("/proc/7/wchan", "io_cqring_wait".to_owned());
    put("/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n".to_owned());
    let group = "/sys/fs/cgroup/a.service";
    put(&format!("{group}/cpu.max"), format!("{} {}\n", n[3], n[4]));
    put(
        &format!("{group}/cpu.stat"),
        rows(&["usage_usec", "nr_periods", "nr_throttled", "throttled_usec"], n, ""),
    );
    put(&format!("{group}/memory.max"), n[5].to_string());
    put(&format!("{group}/memory.high"), n[6].to_string());
    put(&format!("{group}/memory.current"), n[7].to_string());
    put(&format!("{group}/memory.stat"), rows(&["active_file", "inactive_file", "slab_reclaimable"], n, ""));
    put(&format!("{group}/memory.events"), rows(&["high", "max", "oom_kill"], n, ""));
}

proptest! {
    #[test]
    fn no_numbers_make_a_layer_panic(first in prop::collection::vec(number(), 10), last in prop::collection::vec(number(), 10)) {
        let mut tree = Tree::in_memory(2);
        fill(&mut tree, 0, &first);
        fill(&mut tree, 1, &last);
        let evidence = reading::read_tree(&tree).unwrap();
        for layer in layers::LAYERS.iter().filter(|layer| LAYERS.contains(&layer.id)) {
            for station in (layer.stations)(&evidence) {
                prop_assert!(station.utilization().is_none_or(|share| !share.is_nan()), "{}", station.id);
            }
            for symptom in layer.symptoms {
                let _ = (symptom.test)(&evidence);
            }
            for cause in layer.causes {
                if let Ok(outcome) = (cause.test)(&evidence) {
                    prop_assert!(!outcome.summary.contains("NaN"), "{}: {}", cause.id, outcome.summary);
                }
            }
        }
    }
}
