//! Reads control groups of version 1 and 2.
//!
//! Only what can hold work back is read: quotas, limits, how often they were met, and who takes the CPUs that others wait
//! for. A group without a quota costs four or five small files; the processes of a group are looked at only where it
//! waits for CPUs or has a quota.

use std::collections::BTreeMap;

use host::{Host, HostError, text};
use model::Unread;

use super::parse::{Mounts, own_path, parse_cpu_max, parse_io_bytes, parse_key_values, parse_mounts};
use super::processors::{Serving, competitors, waited, weight};
use super::walk::{Hierarchy, walk};
use super::{Facts, Group, Version};

/// A version 1 limit from here on is no limit: the kernel prints the most whole pages that fit 63 bits.
const UNLIMITED_BYTES: u64 = 1 << 60;

/// Reads the layer at this instant.
///
/// # Errors
/// When the mount table cannot be read, or no control group file system is mounted.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let table = host.read("/proc/self/mounts").or_else(|_| host.read("/proc/mounts"));
    let mounts = parse_mounts(&table.map_err(|error| HostError::unread(&error))?);
    if mounts.unified.is_none() && !mounts.has_v1 {
        return Err(Unread::new(
            "no control group file system with a CPU or memory controller is mounted",
            "mount cgroup2 at /sys/fs/cgroup",
        ));
    }
    let own = host.read("/proc/self/cgroup").unwrap_or_default();
    let (groups, serving) = (BTreeMap::new(), Serving::new(host));
    let mut reader = Reader { host, serving, groups, facts: Facts::default() };
    reader.facts.version = match (&mounts.unified, mounts.has_v1) {
        (Some(_), true) => Version::Hybrid,
        (None, _) => Version::V1,
        (Some(_), false) => Version::V2,
    };
    reader.read_unified(&mounts, &own);
    reader.read_v1(&mounts, &own);
    let mut facts = reader.facts;
    facts.competitors = competitors(reader.groups.values());
    facts.groups = reader.groups.into_values().filter(is_worth_keeping).collect();
    facts.groups.iter_mut().for_each(|group| group.io_bytes = io_bytes(host, &mounts, &group.path));
    Ok(facts)
}

/// What a group read and wrote: by version 2, or else by the `blkio` controller of version 1.
fn io_bytes(host: &dyn Host, mounts: &Mounts, path: &str) -> Option<u64> {
    let folder = path.trim_end_matches('/');
    let read = |mount: &Option<String>, file: &str| {
        parse_io_bytes(&host.read(&format!("{}{folder}/{file}", mount.as_deref()?)).ok()?)
    };
    read(&mounts.unified, "io.stat").or_else(|| read(&mounts.blkio, "blkio.throttle.io_service_bytes"))
}

fn is_worth_keeping(group: &Group) -> bool {
    let limited = group.quota_us.or(group.memory_max_bytes).or(group.memory_high_bytes).is_some();
    let counted =
        [group.throttled_periods, group.memory_high_events, group.memory_max_events, group.oom_kills];
    limited || counted.iter().flatten().any(|count| *count > 0)
}

struct Reader<'a> {
    host: &'a dyn Host,
    serving: Serving<'a>,
    groups: BTreeMap<String, Group>,
    facts: Facts,
}

impl Reader<'_> {
    fn number(&self, path: &str) -> Option<u64> {
        text::decimal(self.host.read(path).ok()?.trim_ascii())
    }

    fn key_values(&self, path: &str) -> BTreeMap<String, u64> {
        self.host.read(path).map(|bytes| parse_key_values(&bytes)).unwrap_or_default()
    }

    /// Walks one hierarchy and fills groups; where several hierarchies are walked, the largest count stands.
    fn walk(&mut self, hierarchy: &Hierarchy, fill: fn(&Self, &str, &mut Group) -> u64) {
        let host = self.host;
        let count = walk(host, hierarchy, |path| {
            let name = if path.is_empty() { "/" } else { path };
            let mut group = self
                .groups
                .remove(name)
                .unwrap_or_else(|| Group { path: name.to_owned(), ..Group::default() });
            self.facts.skipped += fill(self, &format!("{}{path}", hierarchy.mount_point), &mut group);
            self.groups.insert(name.to_owned(), group);
        });
        self.facts.looked_at = self.facts.looked_at.max(count.looked_at);
        self.facts.left_out = self.facts.left_out.max(count.left_out);
    }

    /// Version 2, where it has the CPU or the memory controller (beside version 1 it often has neither).
    fn read_unified(&mut self, mounts: &Mounts, own: &[u8]) {
        let Some(mount_point) = mounts.unified.as_deref() else { return };
        let controllers = self.host.value(&format!("{mount_point}/cgroup.controllers"));
        let useful = |text: &String| text.split_whitespace().any(|name| name == "cpu" || name == "memory");
        if controllers.as_ref().is_ok_and(|text| !useful(text)) {
            return;
        }
        let own = own_path(own, None);
        self.walk(&Hierarchy { mount_point, counts_descendants: true, own }, Self::fill_unified);
    }

    fn fill_unified(&self, folder: &str, group: &mut Group) -> u64 {
        let mut skipped = 0;
        if let Ok(bytes) = self.host.read(&format!("{folder}/cpu.max")) {
            match parse_cpu_max(&bytes) {
                Some((Some(quota), period)) => self.fill_quota(folder, quota, period, group),
                Some((None, _)) => {}
                None => skipped += 1,
            }
        }
        self.fill_cpu(folder, group);
        group.memory_max_bytes = self.number(&format!("{folder}/memory.max"));
        let events = self.key_values(&format!("{folder}/memory.events"));
        group.memory_high_events = events.get("high").copied();
        group.memory_max_events = events.get("max").copied();
        group.oom_kills = events.get("oom_kill").copied();
        if group.memory_max_bytes.is_some() || group.memory_high_events.is_some_and(|count| count > 0) {
            group.memory_high_bytes = self.number(&format!("{folder}/memory.high"));
            group.memory_bytes = self.number(&format!("{folder}/memory.current"));
            group.memory_reclaimable_bytes = self.reclaimable(folder, "");
        }
        skipped
    }

    /// File pages and reclaimable slabs; version 1 prefixes the sums over descendants with `total_`.
    fn reclaimable(&self, folder: &str, prefix: &str) -> Option<u64> {
        let stat = self.key_values(&format!("{folder}/memory.stat"));
        let field = |name: &str| stat.get(&format!("{prefix}{name}")).copied();
        let files = field("active_file")?.saturating_add(field("inactive_file")?);
        Some(files.saturating_add(field("slab_reclaimable").unwrap_or(0)))
    }

    /// What the group used of the CPUs, and what it waited for them.
    fn fill_cpu(&self, folder: &str, group: &mut Group) {
        if group.usage_us.is_none() {
            group.usage_us = self.key_values(&format!("{folder}/cpu.stat")).get("usage_usec").copied();
        }
        if group.usage_us.is_none_or(|used| used == 0) {
            return;
        }
        let pressure = self.host.read(&format!("{folder}/cpu.pressure")).ok();
        let waited = pressure.and_then(|bytes| waited(&bytes));
        group.waited_us = waited.map(|(total, _)| total);
        if waited.is_some_and(|(_, lately)| lately) {
            group.weight =
                self.host.read(&format!("{folder}/cpu.weight")).ok().and_then(|bytes| weight(&bytes));
        }
        if waited.is_some_and(|(_, lately)| lately) || group.quota_us.is_some() {
            group.listens = self.serving.listens(folder);
        }
    }

    fn fill_quota(&self, folder: &str, quota: u64, period: u64, group: &mut Group) {
        let stat = self.key_values(&format!("{folder}/cpu.stat"));
        let field = |name: &str| stat.get(name).copied();
        (group.quota_us, group.period_us) = (Some(quota), Some(period));
        group.usage_us = field("usage_usec").or(group.usage_us);
        (group.periods, group.throttled_periods) = (field("nr_periods"), field("nr_throttled"));
        // Version 1 counts in nanoseconds (kernel/sched/core.c, cpu_cfs_stat_show).
        group.throttled_us = field("throttled_usec").or_else(|| Some(field("throttled_time")? / 1000));
    }

    fn read_v1(&mut self, mounts: &Mounts, own: &[u8]) {
        if let Some(mount_point) = mounts.cpu.as_deref() {
            let own = own_path(own, Some("cpu"));
            self.walk(&Hierarchy { mount_point, counts_descendants: false, own }, Self::fill_v1_cpu);
            if let Some(usage) = mounts.cpuacct.as_deref() {
                self.fill_usage(usage);
            }
        }
        if let Some(mount_point) = mounts.memory.as_deref() {
            let own = own_path(own, Some("memory"));
            self.walk(&Hierarchy { mount_point, counts_descendants: false, own }, Self::fill_v1_memory);
        }
    }

    fn fill_v1_cpu(&self, folder: &str, group: &mut Group) -> u64 {
        // -1 means no quota, and is no number here.
        let Some(quota) = self.number(&format!("{folder}/cpu.cfs_quota_us")) else { return 0 };
        let period = self.number(&format!("{folder}/cpu.cfs_period_us")).filter(|period| *period > 0);
        let Some(period) = period else { return 1 };
        self.fill_quota(folder, quota, period, group);
        0
    }

    fn fill_usage(&mut self, mount_point: &str) {
        let paths: Vec<String> = self.groups.keys().cloned().collect();
        for path in paths {
            let folder = if path == "/" { "" } else { &path };
            let usage = self.number(&format!("{mount_point}{folder}/cpuacct.usage"));
            if let Some(group) = self.groups.get_mut(&path) {
                group.usage_us = usage.map(|ns| ns / 1000).or(group.usage_us);
            }
        }
    }

    fn fill_v1_memory(&self, folder: &str, group: &mut Group) -> u64 {
        let limit = self.number(&format!("{folder}/memory.limit_in_bytes"));
        group.memory_max_bytes = limit.filter(|bytes| *bytes < UNLIMITED_BYTES);
        if group.memory_max_bytes.is_some() {
            group.memory_bytes = self.number(&format!("{folder}/memory.usage_in_bytes"));
            group.memory_reclaimable_bytes = self.reclaimable(folder, "total_");
            group.memory_max_events = self.number(&format!("{folder}/memory.failcnt"));
            let oom = self.key_values(&format!("{folder}/memory.oom_control"));
            group.oom_kills = oom.get("oom_kill").copied();
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn tree(mounts: &str, files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mounts", mounts);
        for (path, text) in files {
            tree.put(0, &format!("/sys/fs/cgroup/{path}"), *text);
        }
        tree
    }

    #[test]
    fn a_limited_group_of_version_2_is_kept_and_an_unlimited_one_is_not() {
        let tree = tree(
            "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
            &[
                ("cgroup.controllers", "cpuset cpu io memory pids\n"),
                ("a.slice/cpu.max", "max 100000\n"),
                ("a.slice/memory.max", "max\n"),
                ("a.slice/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"),
                ("b.service/cpu.max", "50000 100000\n"),
                ("b.service/cpu.stat", "usage_usec 900\nnr_periods 9\nnr_throttled 3\nthrottled_usec 77\n"),
                ("b.service/memory.max", "1073741824\n"),
                ("b.service/memory.current", "4096\n"),
                ("b.service/memory.high", "max\n"),
            ],
        );
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.version, facts.looked_at, facts.groups.len()), (Version::V2, 3, 1));
        let group = &facts.groups[0];
        assert_eq!(
            (group.quota_us, group.throttled_periods, group.throttled_us),
            (Some(50_000), Some(3), Some(77))
        );
        assert_eq!((group.memory_bytes, group.memory_high_bytes), (Some(4096), None));
    }

    #[test]
    fn the_hierarchies_of_version_1_are_put_together_by_path() {
        let tree = tree(
            "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/acct cgroup rw,cpuacct 0 0\n\
             cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
            &[
                ("unified/cgroup.controllers", "\n"),
                ("cpu/cpu.cfs_quota_us", "-1\n"),
                ("cpu/web/cpu.cfs_quota_us", "200000\n"),
                ("cpu/web/cpu.cfs_period_us", "100000\n"),
                ("cpu/web/cpu.stat", "nr_periods 9\nnr_throttled 1\nthrottled_time 5000\n"),
                ("acct/web/cpuacct.usage", "7000\n"),
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/web/memory.limit_in_bytes", "1048576\n"),
                ("memory/web/memory.usage_in_bytes", "4096\n"),
                ("memory/web/memory.failcnt", "2\n"),
                ("memory/web/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
            ],
        );
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.version, facts.groups.len()), (Version::Hybrid, 1));
        let group = &facts.groups[0];
        assert_eq!((group.path.as_str(), group.usage_us, group.throttled_us), ("/web", Some(7), Some(5)));
        assert_eq!((group.memory_max_events, group.oom_kills), (Some(2), Some(1)));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let tree = tree(
            "cgroup /sys/fs/cgroup cgroup2 ro 0 0\ncgroup2 /sys/fs/cgroup cgroup2 ro 0 0\n",
            &[("cpu.max", "100000 100000\n"), ("cpu.stat", "nr_periods 1\nnr_throttled 1\n")],
        );
        assert_eq!(read(&tree.at(0)).unwrap().groups[0].path, "/");
    }

    #[test]
    fn without_any_hierarchy_the_layer_is_unread() {
        assert!(read(&tree("tmpfs /run tmpfs rw 0 0\n", &[]).at(0)).is_err());
    }
}
