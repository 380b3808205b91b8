//! Parses the files of control groups.

use std::collections::BTreeMap;

use host::text;

/// Where the hierarchies are mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    /// Version 2.
    pub unified: Option<String>,
    /// The version 1 hierarchy of the `cpu` controller.
    pub cpu: Option<String>,
    /// The version 1 hierarchy of the `cpuacct` controller; often the same.
    pub cpuacct: Option<String>,
    /// The version 1 hierarchy of the `memory` controller.
    pub memory: Option<String>,
    /// The version 1 hierarchy of the `blkio` controller.
    pub blkio: Option<String>,
    /// Whether any version 1 hierarchy with a controller is mounted.
    pub has_v1: bool,
}

/// Finds the hierarchies in `/proc/self/mounts` (proc(5), fstab(5)). Of several mounts of one hierarchy the first
/// counts.
pub fn parse_mounts(bytes: &[u8]) -> Mounts {
    let mut mounts = Mounts::default();
    for (_, _, line) in text::lines(bytes) {
        let words: Vec<_> = text::words(line).collect();
        let [_, mount_point, filesystem, options, ..] = words.as_slice() else { continue };
        let mount_point = unescaped(mount_point);
        let fill = |slot: &mut Option<String>| {
            slot.get_or_insert_with(|| mount_point.clone());
        };
        match *filesystem {
            b"cgroup2" => fill(&mut mounts.unified),
            b"cgroup" => {
                for option in options.split(|byte| *byte == b',') {
                    match option {
                        b"cpu" => fill(&mut mounts.cpu),
                        b"cpuacct" => fill(&mut mounts.cpuacct),
                        b"memory" => fill(&mut mounts.memory),
                        b"blkio" => {
                            fill(&mut mounts.blkio);
                            continue;
                        }
                        _ => continue,
                    }
                    mounts.has_v1 = true;
                }
            }
            _ => {}
        }
    }
    mounts
}

/// A mount point with its octal escapes (`\040`) turned back.
fn unescaped(word: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Parses `cpu.max`: the quota (`None` for `max`) and the period, in microseconds.
pub fn parse_cpu_max(bytes: &[u8]) -> Option<(Option<u64>, u64)> {
    let mut words = text::words(bytes);
    let quota = words.next()?;
    let period = text::decimal(words.next()?).filter(|period| *period > 0)?;
    Some((if quota == b"max" { None } else { Some(text::decimal(quota)?) }, period))
}

/// Parses a flat keyed file such as `cpu.stat`, `memory.events` or `memory.oom_control`; lines of another form are
/// left out.
pub fn parse_key_values(bytes: &[u8]) -> BTreeMap<String, u64> {
    let lines = text::lines(bytes).map(|(_, _, line)| text::words(line));
    lines.filter_map(|mut words| Some((text::string(words.next()?), text::decimal(words.next()?)?))).collect()
}

/// Parses `io.stat` of version 2 (`8:0 rbytes=1 wbytes=2 …`) or `blkio.throttle.io_service_bytes` of version 1 (`8:0 Read 1`,
/// … `Total 3`): the bytes read and written, all devices together. `None` when no line is of either form.
pub fn parse_io_bytes(bytes: &[u8]) -> Option<u64> {
    let mut total = None;
    for (_, _, line) in text::lines(bytes) {
        let words: Vec<_> = text::words(line).collect();
        let counted = match words.as_slice() {
            [_device, b"Read" | b"Write", count] => text::decimal(count),
            [_device, fields @ ..] => named(fields, b"rbytes=")
                .map(|read| read.saturating_add(named(fields, b"wbytes=").unwrap_or(0))),
            [] => None,
        };
        if let Some(counted) = counted {
            total = Some(total.unwrap_or(0u64).saturating_add(counted));
        }
    }
    total
}

fn named(fields: &[&[u8]], name: &[u8]) -> Option<u64> {
    fields.iter().find_map(|field| text::decimal(field.strip_prefix(name)?))
}

/// The path of the calling process in `/proc/self/cgroup` (cgroups(7)): of version 2, or of the hierarchy of a
/// version 1 controller.
pub(super) fn own_path(bytes: &[u8], controller: Option<&str>) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let wanted = match controller {
            None => number == "0" && controllers.is_empty(),
            Some(controller) => controllers.split(',').any(|name| name == controller),
        };
        wanted.then(|| path.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_all_devices_are_summed_in_both_versions() {
        let v2 = b"254:0 rbytes=100 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:0 rbytes=3 wbytes=0 rios=1 wios=0\n";
        assert_eq!(parse_io_bytes(v2), Some(123));
        let v1 =
            b"254:0 Read 100\n254:0 Write 20\n254:0 Sync 120\n254:0 Async 0\n254:0 Total 120\nTotal 120\n";
        assert_eq!(parse_io_bytes(v1), Some(120));
        assert_eq!(parse_io_bytes(b""), None);
    }

    #[test]
    fn a_hybrid_host_has_both_versions() {
        let mounts = parse_mounts(
            b"cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0\n\
              cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
              cgroup /sys/fs/cgroup/mem\\040ory cgroup rw,memory 0 0\ntmpfs /run tmpfs rw 0 0\n",
        );
        assert_eq!(mounts.unified.as_deref(), Some("/sys/fs/cgroup/unified"));
        assert_eq!(mounts.cpu.as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(mounts.memory.as_deref(), Some("/sys/fs/cgroup/mem ory"));
        assert!(mounts.has_v1);
    }

    #[test]
    fn a_version_1_hierarchy_without_a_controller_does_not_count() {
        let mounts = parse_mounts(b"cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n");
        assert_eq!(mounts, Mounts::default());
    }

    #[test]
    fn quotas_may_be_unlimited() {
        assert_eq!(parse_cpu_max(b"50000 100000\n"), Some((Some(50_000), 100_000)));
        assert_eq!(parse_cpu_max(b"max 100000\n"), Some((None, 100_000)));
        assert_eq!(parse_cpu_max(b"50000 0\n"), None);
    }

    #[test]
    fn the_own_group_is_found_in_either_version() {
        let text = b"4:memory:/a:b\n1:cpu,cpuacct:/web\n0::/system.slice/x.service\n";
        assert_eq!(own_path(text, None).as_deref(), Some("/system.slice/x.service"));
        assert_eq!(own_path(text, Some("cpu")).as_deref(), Some("/web"));
        assert_eq!(own_path(text, Some("memory")).as_deref(), Some("/a:b"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_mounts(&[b"a ", bytes.as_slice(), b" cgroup cpu"].concat());
            parse_mounts(&bytes);
            parse_cpu_max(&bytes);
            parse_key_values(&bytes);
            own_path(&bytes, None);
            own_path(&bytes, Some("cpu"));
        }
    }
}
