//! Processes of services: found by the name of their command, without running any program.

use host::{Host, text};
use model::Unread;

/// Marks in `/proc/PID/cgroup` that a container runtime leaves.
const CONTAINER_MARKS: [&str; 8] =
    ["docker", "kubepods", "containerd", "libpod", "lxc", "machine.slice", "crio-", "buildkit"];

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's number.
    pub parent: u32,
    /// The name of its command (`comm`), at most 15 bytes.
    pub command: String,
    /// User and system time since its start, in clock ticks of 1/100 s.
    pub cpu_ticks: u64,
}

/// Every process whose command has a name that is wanted, by number.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn named(host: &dyn Host, wanted: impl Fn(&str) -> bool) -> Result<Vec<Process>, Unread> {
    let names = host.list("/proc").map_err(|error| error.unread())?;
    let mut pids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    let mut buffer = Vec::new();
    let mut found = Vec::new();
    for pid in pids {
        buffer.clear();
        if host.read_into(&format!("/proc/{pid}/stat"), &mut buffer).is_err() {
            continue;
        }
        found.extend(parse_stat(pid, &buffer).filter(|process| wanted(&process.command)));
    }
    Ok(found)
}

/// A line of `/proc/PID/stat`; the name may hold blanks and parentheses (proc(5)).
fn parse_stat(pid: u32, line: &[u8]) -> Option<Process> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let command = text::string(line.get(open + 1..close)?);
    let mut fields = text::words(line.get(close + 1..)?);
    let parent = fields.nth(1).and_then(text::decimal)?;
    let mut times = fields.skip(9).map_while(text::decimal);
    let cpu_ticks = times.next().unwrap_or(0).saturating_add(times.next().unwrap_or(0));
    Some(Process { pid, parent: u32::try_from(parent).ok()?, command, cpu_ticks })
}

/// The words of a command line; empty where it cannot be read.
pub fn command_line(host: &dyn Host, pid: u32) -> Vec<String> {
    let bytes = host.read(&format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(text::string).collect()
}

/// The program, without the mark of one that was replaced on disk.
pub fn program(host: &dyn Host, pid: u32) -> Option<String> {
    let link = host.link(&format!("/proc/{pid}/exe")).ok()?;
    Some(link.strip_suffix(" (deleted)").map_or(link.clone(), str::to_owned))
}

/// What has to be put before a path of a process so that it is a path of the host: nothing, or `/proc/PID/root` for one
/// in a container, or the folder of a chroot(2). A mount namespace of its own alone is no container: services have one
/// for a private `/tmp`.
///
/// # Errors
/// When it runs in a container whose files the caller may not read.
pub fn root_of(host: &dyn Host, pid: u32) -> Result<String, Unread> {
    let link = host.link(&format!("/proc/{pid}/root")).ok();
    let own = root_mount(host, "self");
    let its = root_mount(host, &pid.to_string());
    match (link, own, its) {
        (Some(folder), Some(own), Some(its)) if own == its => Ok(folder.trim_end_matches('/').to_owned()),
        (_, Some(_), Some(_)) => Ok(format!("/proc/{pid}/root")),
        (Some(folder), ..) if folder != "/" => Ok(folder.trim_end_matches('/').to_owned()),
        (..) if in_container(host, pid) => Err(Unread::new(
            format!("process {pid} runs in a container, whose files may not be read"),
            "run narrows as root",
        )),
        _ => Ok(String::new()),
    }
}

/// Which file system is mounted at `/`, as device and folder of it (`/proc/PID/mountinfo`, proc(5)).
fn root_mount(host: &dyn Host, pid: &str) -> Option<(String, String)> {
    let bytes = host.read(&format!("/proc/{pid}/mountinfo")).ok()?;
    let last = text::lines(&bytes).filter_map(|(_, _, line)| {
        let words: Vec<_> = text::words(line).take(5).collect();
        let [_, _, device, folder, b"/"] = words[..] else { return None };
        Some((text::string(device), text::string(folder)))
    });
    last.last()
}

fn in_container(host: &dyn Host, pid: u32) -> bool {
    let marked = |pid: &str| {
        let groups = host.value(&format!("/proc/{pid}/cgroup")).unwrap_or_default();
        CONTAINER_MARKS.iter().any(|mark| groups.contains(mark))
    };
    marked(&pid.to_string()) && !marked("self")
}

/// The control group of a process, below the hierarchy's root: of version 2, else of the CPU controller of version 1.
pub fn cgroup(host: &dyn Host, pid: u32) -> Option<String> {
    let groups = host.value(&format!("/proc/{pid}/cgroup")).ok()?;
    let rows = || groups.lines().filter_map(|line| line.splitn(3, ':').collect::<Vec<_>>().try_into().ok());
    let unified = rows().find_map(|[id, _, path]: [&str; 3]| (id == "0" && path != "/").then_some(path));
    let cpu = || {
        rows().find_map(|[_, names, path]: [&str; 3]| {
            names.split(',').any(|name| name == "cpu").then_some(path)
        })
    };
    unified.or_else(cpu).map(str::to_owned)
}

/// Whether a process has the network of the caller; also where that cannot be told.
pub fn shares_network(host: &dyn Host, pid: u32) -> bool {
    let namespace = |pid: &str| host.link(&format!("/proc/{pid}/ns/net")).ok();
    match (namespace("self"), namespace(&pid.to_string())) {
        (Some(ours), Some(its)) => ours == its,
        _ => true,
    }
}

/// The most files that a process may have open (`Max open files` of `/proc/PID/limits`, the soft limit).
pub fn open_files_limit(host: &dyn Host, pid: u32) -> Option<u64> {
    let limits = host.value(&format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The files that a process has open.
pub fn open_files(host: &dyn Host, pid: u32) -> Option<u64> {
    host.list(&format!("/proc/{pid}/fd")).ok().map(|names| names.len() as u64)
}

/// The CPUs that a process may run on, where it may not run on all (`Cpus_allowed_list` of `/proc/PID/status`).
pub fn cpus_allowed(host: &dyn Host, pid: u32) -> Option<String> {
    let status = host.value(&format!("/proc/{pid}/status")).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim().to_owned();
    let online = text::cpu_list(&host.value("/sys/devices/system/cpu/online").ok()?);
    let allowed = text::cpu_list(&list);
    (!online.iter().all(|cpu| allowed.contains(cpu))).then_some(list)
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_is_read_whole() {
        let line = b"7 (a) (b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 1 0 99\n";
        let process = parse_stat(7, line).unwrap();
        assert_eq!((process.command.as_str(), process.parent, process.cpu_ticks), ("a) (b", 1, 300));
        assert_eq!(parse_stat(7, b"7 (a"), None);
        assert_eq!(parse_stat(7, b""), None);
    }

    #[test]
    fn a_container_is_told_from_a_private_mount_namespace() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
        tree.put(
            0,
            "/proc/7/mountinfo",
            "90 1 254:1 / / rw - ext4 /dev/vda1 rw\n91 90 0:50 / /tmp rw - tmpfs t rw\n",
        );
        tree.put(0, "/proc/8/mountinfo", "90 1 0:61 / / rw - overlay overlay rw\n");
        tree.put(0, "/proc/9/cgroup", "0::/system.slice/docker-0123.scope\n");
        tree.put_link(0, "/proc/7/root", "/");
        let host = tree.at(0);
        assert_eq!(root_of(&host, 7), Ok(String::new()));
        assert_eq!(root_of(&host, 8), Ok("/proc/8/root".to_owned()));
        assert!(root_of(&host, 9).unwrap_err().why.contains("container"));
        assert_eq!(root_of(&host, 10), Ok(String::new()));
    }
}
