//! `cargo xtask bench`: what narrows costs beside its peers, measured in one run on this machine.
//!
//! Each world is a private PID and mount namespace with a known number of processes; the last also has a network
//! namespace with a known number of TCP sockets. In each, ours and theirs take turns for several rounds, and the median
//! is printed. When the chore ends, however it ends, the kernel ends everything in the namespaces with it.

mod changes;
mod clock;
mod digest;
mod install;
mod load;
mod logs;
mod ours;
mod outside;
mod peers;
mod sockets;
mod table;
mod world;

pub(crate) use outside::{Arguments, run};

/// Readings, scrapes and passes of the floor in a round …
const READINGS: u32 = 8;
/// … and how far apart they are. `sadc` and `pidstat` cannot be asked more than once a second.
const EVERY_MS: u64 = 250;
/// How long `sadc` and `pidstat` are measured in a round, which is also how many samples they take.
const PEER_SECONDS: u32 = 4;
/// Sockets in the world of sockets: both ends of half as many connections.
const SOCKETS: usize = 20_000;

/// The names under which costs are measured, as the table shows them.
const HOST_ONLY: &str = "narrows, all layers but tasks";
const ALL: &str = "narrows, all layers";
const SOCKETS_ALONE: &str = "narrows, the layer of sockets";
const CHECK: &str = "narrows check --for 2s";
const FLOOR_HOST_ONLY: &str = "floor: files of all layers but tasks";
const FLOOR_ALL: &str = "floor: files of all layers";
const NODE_EXPORTER: &str = "prometheus-node-exporter";
const SADC: &str = "sadc -S XALL";
const PIDSTAT: &str = "pidstat -u -r -d -w -h -p ALL";
const SOCKET_STATISTICS: &str = "ss -Htian";

/// What is compared with what.
const RIVALS: &[(&str, &str)] = &[
    (FLOOR_HOST_ONLY, HOST_ONLY),
    (NODE_EXPORTER, HOST_ONLY),
    (SADC, HOST_ONLY),
    (FLOOR_ALL, ALL),
    (PIDSTAT, ALL),
    (SOCKET_STATISTICS, SOCKETS_ALONE),
];

/// The worlds, by what they are called on the command line; the numbers count processes.
const WORLDS: &[(&str, usize)] = &[("few", 120), ("many", 2120), ("sockets", 120)];

/// What is promised: world, what, and the most milliseconds of CPU a reading may cost.
const CPU_TARGETS_MS: &[(&str, &str, f64)] =
    &[("few", HOST_ONLY, 3.0), ("many", HOST_ONLY, 3.0), ("many", ALL, 45.0)];
/// The most memory that a check may take, in MB of 10⁶ bytes.
const CHECK_TARGET_MB: f64 = 40.0;
