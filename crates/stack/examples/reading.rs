//! Measures what reading this host costs: `reading LAYERS COUNT EVERY_MS [floor]`.
//!
//! `LAYERS` is `all`, `host-only` (all but tasks), or names such as `cpu,disk`; `settings` and `samples` (one pass
//! over tasks and listen queues) are read only when they are named. With `floor`, the files that such a reading reads
//! are opened, read and closed, and nothing else. Prints one line of JSON; `cargo xtask bench` reads it.
#![allow(clippy::print_stdout, reason = "the result is printed")]
#![allow(
    clippy::disallowed_methods,
    reason = "the floor is what opening and reading the files costs by itself"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read;
use std::time::Duration;

use host::{Host, LiveHost};
use noting::{Noted, Noting};
use rustix::time::{ClockId, clock_gettime};
use stack::samples::Sampler;
use stack::{cgroup, cpu, disk, irq, memory, nfs, nic, qdisc, reading, sockets, tasks};

#[path = "../tests/support/noting.rs"]
mod noting;

type Read1 = Box<dyn FnMut(&dyn Host)>;

macro_rules! layer {
    ($layer:ident) => {
        (stringify!($layer), Box::new(|host: &dyn Host| drop(black_box($layer::read(host)))) as Read1)
    };
}

/// How each layer is read; the last three are in `all` (tasks) or only in what is named.
fn layers() -> Vec<(&'static str, Read1)> {
    let mut sampler = Sampler::default();
    vec![
        layer!(cpu),
        layer!(irq),
        layer!(nic),
        layer!(qdisc),
        layer!(sockets),
        layer!(memory),
        layer!(disk),
        layer!(nfs),
        layer!(cgroup),
        layer!(tasks),
        ("settings", Box::new(|host: &dyn Host| drop(black_box(reading::read_settings(host))))),
        ("samples", Box::new(move |host: &dyn Host| sampler.observe(host))),
    ]
}

fn chosen(wanted: &str, layer: &str) -> bool {
    match wanted {
        "all" => !["settings", "samples"].contains(&layer),
        "host-only" => !["settings", "samples", "tasks"].contains(&layer),
        names => names.split(',').any(|name| name == layer),
    }
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Opens, reads and closes everything once; returns how many files there were.
fn touch_all(noted: &Noted, buffer: &mut [u8]) -> usize {
    for path in noted.files.keys() {
        if let Ok(mut file) = std::fs::File::open(path) {
            while file.read(buffer).is_ok_and(|length| length > 0) {}
        }
    }
    for path in noted.links.keys() {
        black_box(std::fs::read_link(path).is_ok());
    }
    for path in &noted.directories {
        black_box(std::fs::read_dir(path).map_or(0, Iterator::count));
    }
    noted.files.len()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wanted, count, every_ms, rest @ ..] = arguments.as_slice() else {
        return Err("usage: reading all|host-only|LAYER,LAYER… COUNT EVERY_MS [floor]".into());
    };
    let (count, every): (u32, _) = (count.parse()?, Duration::from_millis(every_ms.parse()?));
    let mut layers = layers();
    layers.retain(|(layer, _)| chosen(wanted, layer));
    if layers.is_empty() {
        return Err(format!("{wanted} names no layer").into());
    }
    let noting = Noting::default();
    layers.iter_mut().for_each(|(_, read)| read(&noting));
    let noted = noting.finish();
    let floor = rest.first().is_some_and(|word| word == "floor");
    let mut buffer = vec![0; 64 << 10];
    let host = LiveHost::new();
    layers.iter_mut().for_each(|(_, read)| read(&host));
    let mut by_layer = BTreeMap::new();
    let mut total = 0.0;
    for _ in 0..count {
        std::thread::sleep(every);
        if floor {
            let start = cpu_ms();
            touch_all(&noted, &mut buffer);
            total += cpu_ms() - start;
            continue;
        }
        for (layer, read) in &mut layers {
            let start = cpu_ms();
            read(&host);
            let took = cpu_ms() - start;
            *by_layer.entry(*layer).or_insert(0.0) += took / f64::from(count);
            total += took;
        }
    }
    let result = serde_json::json!({
        "layers": wanted,
        "readings": count,
        "cpu_ms_per_reading": total / f64::from(count),
        "cpu_ms_by_layer": by_layer,
        "files": noted.files.len(),
        "directories": noted.directories.len(),
        "peak_rss_bytes": peak_rss_bytes(&host),
    });
    println!("{result}");
    Ok(())
}

fn peak_rss_bytes(host: &LiveHost) -> Option<u64> {
    let status = host.value("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}
