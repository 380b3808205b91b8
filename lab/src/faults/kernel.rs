//! What the kernel says, read apart from the code under test.

use std::fs;

use super::{Attempt, FaultError, Result};

/// Reads a file of the kernel as text.
pub fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).attempt(|| format!("read {path}"))
}

/// Reads one counter of `/proc/PID/net/netstat` or `snmp`, in the network namespace of process `pid`.
pub fn network_counter(pid: u32, file: &str, group: &str, name: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/net/{file}");
    let text = read(&path)?;
    let mut rows = text.lines().filter(|line| line.split(':').next() == Some(group));
    let (Some(names), Some(values)) = (rows.next(), rows.next()) else {
        return Err(FaultError::new(format!("{path} has no group {group}")));
    };
    names
        .split_whitespace()
        .zip(values.split_whitespace())
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
        .ok_or_else(|| FaultError::new(format!("{path} has no counter {group} {name}")))
}

/// Sums column 2 of `/proc/net/softnet_stat` over all CPUs: packets dropped because a CPU's backlog was full.
pub fn softnet_dropped() -> Result<u64> {
    let text = read("/proc/net/softnet_stat")?;
    let column = |line: &str| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok();
    text.lines()
        .map(|line| column(line).ok_or_else(|| FaultError::new(format!("odd softnet_stat line: {line}"))))
        .sum()
}

/// Counts rows of `/proc/PID/net/tcp` to remote `port` in one of the hexadecimal `states` (`01` established, `06` TIME_WAIT).
pub fn tcp_sockets_towards(pid: u32, port: u16, state: &str) -> Result<usize> {
    let remote = format!(":{port:04X}");
    let text = read(&format!("/proc/{pid}/net/tcp"))?;
    Ok(text
        .lines()
        .filter(|line| {
            let mut fields = line.split_whitespace().skip(2);
            fields.next().is_some_and(|address| address.ends_with(&remote)) && fields.next() == Some(state)
        })
        .count())
}

/// Reads the state letter of a process: field 3 of `/proc/PID/stat` (proc_pid_stat(5)).
pub fn process_state(pid: u32) -> Result<char> {
    let path = format!("/proc/{pid}/stat");
    let text = read(&path)?;
    text.rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next())
        .ok_or_else(|| FaultError::new(format!("{path} has no state")))
}

/// Reads the kernel function a process sleeps in (`0` when it runs).
pub fn wait_channel(pid: u32) -> Result<String> {
    read(&format!("/proc/{pid}/wchan"))
}

/// Reads the most memory a process ever held (`VmHWM`), unless it does not run a program of that name yet or any more.
pub fn peak_kib(pid: u32, program: &str) -> Option<u64> {
    let text = read(&format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    field("Name:").filter(|name| *name == program)?;
    field("VmHWM:")?.parse().ok()
}

/// CPU time since boot, summed over CPUs, in ticks of `USER_HZ` (`/proc/stat`).
#[derive(Clone, Copy, Debug)]
pub struct CpuTicks {
    /// Of any kind; time of guests is in that of their users already.
    pub all: u64,
    /// Ticks of idle time.
    pub idle: u64,
    /// Ticks of idle time charged to I/O wait.
    pub iowait: u64,
}

/// Reads the first line of `/proc/stat`.
pub fn cpu_ticks() -> Result<CpuTicks> {
    let text = read("/proc/stat")?;
    let fields: Vec<u64> =
        text.split_whitespace().skip(1).take(8).map_while(|field| field.parse().ok()).collect();
    match (fields.get(3), fields.get(4)) {
        (Some(idle), Some(iowait)) => Ok(CpuTicks { all: fields.iter().sum(), idle: *idle, iowait: *iowait }),
        _ => Err(FaultError::new("/proc/stat has no idle and iowait time")),
    }
}

/// Reads the one-minute load average.
pub fn load_average() -> Result<f64> {
    let text = read("/proc/loadavg")?;
    let first = text.split_whitespace().next().and_then(|first| first.parse().ok());
    first.ok_or_else(|| FaultError::new("/proc/loadavg has no average"))
}

/// Reads `procs_blocked` of `/proc/stat`: tasks that count as waiting for I/O at this instant.
pub fn tasks_in_iowait() -> Result<u64> {
    let text = read("/proc/stat")?;
    text.lines()
        .find_map(|line| line.strip_prefix("procs_blocked ")?.parse().ok())
        .ok_or_else(|| FaultError::new("/proc/stat has no procs_blocked"))
}

/// Reads `io_ticks` of a block device: milliseconds with a request in flight (field 10 after the name of `/proc/diskstats`).
pub fn disk_busy_ms((major, minor): (u32, u32)) -> Result<u64> {
    let text = read("/proc/diskstats")?;
    let (major, minor) = (major.to_string(), minor.to_string());
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&major.as_str()) && fields.get(1) == Some(&minor.as_str()))
        .and_then(|fields| fields.get(12)?.parse().ok())
        .ok_or_else(|| FaultError::new(format!("/proc/diskstats has no device {major}:{minor}")))
}

/// Sums `io_ticks` of the block devices that are hardware, as far as their names tell, and of their partitions.
pub fn disks_busy_ms() -> Result<u64> {
    let text = read("/proc/diskstats")?;
    let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let virtual_device = |name: &str| ["loop", "ram", "zram"].iter().any(|kind| name.starts_with(kind));
    let real = rows.filter(|fields| fields.get(2).is_some_and(|name| !virtual_device(name)));
    Ok(real.filter_map(|fields| fields.get(12)?.parse::<u64>().ok()).sum())
}
