//! Walks a hierarchy of control groups, breadth first, up to a number of groups.

use std::collections::VecDeque;

use host::Host;

/// So many groups are looked at in one hierarchy.
pub(super) const MOST_GROUPS: usize = 512;

/// The controllers whose files share a group's folder with its children (Documentation/admin-guide/cgroup-v2.rst and
/// cgroup-v1).
const CONTROLLERS: &[&str] = &[
    "cgroup",
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "io",
    "blkio",
    "pids",
    "rdma",
    "hugetlb",
    "misc",
    "devices",
    "freezer",
    "net_cls",
    "net_prio",
    "perf_event",
    "irq",
    "debug",
    "dmem",
];
/// Files that belong to no controller.
const PLAIN_FILES: &[&str] = &["tasks", "notify_on_release", "release_agent"];
/// The unit types of systemd that are control groups: they win over a controller's name.
pub(super) const UNITS: &[&str] = &[".slice", ".scope", ".service", ".mount", ".swap", ".socket"];

/// A hierarchy that is walked.
pub(super) struct Hierarchy<'a> {
    /// Where it is mounted.
    pub(super) mount_point: &'a str,
    /// Whether `cgroup.stat` tells how many descendants a group has (version 2).
    pub(super) counts_descendants: bool,
    /// The group of the calling process: it and its ancestors are looked at first.
    pub(super) own: Option<String>,
}

/// How many groups were met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) looked_at: u64,
    pub(super) left_out: u64,
}

/// Calls back with the path of every group below the mount point, the root (an empty path) first.
pub(super) fn walk(host: &dyn Host, hierarchy: &Hierarchy, mut each: impl FnMut(&str)) -> Count {
    let first = ancestors(hierarchy.own.as_deref().unwrap_or_default());
    let mut count = Count::default();
    for path in first.iter().take(MOST_GROUPS) {
        each(path);
        count.looked_at += 1;
    }
    let mut queue = VecDeque::from([String::new()]);
    while let Some(path) = queue.pop_front() {
        if !path.is_empty() && !first.contains(&path) {
            if count.looked_at >= MOST_GROUPS as u64 {
                count.left_out += 1;
                continue;
            }
            each(&path);
            count.looked_at += 1;
        }
        if count.looked_at < MOST_GROUPS as u64 {
            queue.extend(children(host, hierarchy, &path));
        }
    }
    count
}

/// The root and every group on the way to a path, the path included. A path outside the mount (`/..`) has none.
fn ancestors(path: &str) -> Vec<String> {
    let mut paths = vec![String::new()];
    if path.split('/').any(|part| part == "..") {
        return paths;
    }
    let mut walked = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        walked = format!("{walked}/{part}");
        paths.push(walked.clone());
    }
    paths
}

fn children(host: &dyn Host, hierarchy: &Hierarchy, path: &str) -> Vec<String> {
    let folder = format!("{}{path}", hierarchy.mount_point);
    if hierarchy.counts_descendants {
        let stat = host.read(&format!("{folder}/cgroup.stat")).unwrap_or_default();
        if stat.starts_with(b"nr_descendants 0\n") {
            return vec![];
        }
    }
    let names = host.list(&folder).unwrap_or_default();
    names.into_iter().filter(|name| is_group(name)).map(|name| format!("{path}/{name}")).collect()
}

fn is_group(name: &str) -> bool {
    if UNITS.iter().any(|unit| name.ends_with(unit)) {
        return true;
    }
    let of_controller = name.split_once('.').is_some_and(|(controller, _)| CONTROLLERS.contains(&controller));
    !of_controller && !PLAIN_FILES.contains(&name)
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn walked(tree: &Tree, own: Option<&str>) -> (Vec<String>, Count) {
        let hierarchy = Hierarchy {
            mount_point: "/sys/fs/cgroup",
            counts_descendants: true,
            own: own.map(str::to_owned),
        };
        let mut paths = Vec::new();
        let count = walk(&tree.at(0), &hierarchy, |path| paths.push(path.to_owned()));
        (paths, count)
    }

    #[test]
    fn groups_are_told_from_files_and_the_own_group_comes_first() {
        let mut tree = Tree::in_memory(1);
        for file in ["cpu.max", "memory.slice/cpu.max", "web/php.service/cpu.max", "irq.pressure", "tasks"] {
            tree.put(0, &format!("/sys/fs/cgroup/{file}"), "");
        }
        let (paths, count) = walked(&tree, Some("/web"));
        assert_eq!(paths, ["", "/web", "/memory.slice", "/web/php.service"]);
        assert_eq!(count, Count { looked_at: 4, left_out: 0 });
    }

    #[test]
    fn a_group_without_descendants_is_not_listed() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/sys/fs/cgroup/a/cgroup.stat", "nr_descendants 0\nnr_dying_descendants 3\n");
        tree.put(0, "/sys/fs/cgroup/a/not-looked-at/cpu.max", "");
        assert_eq!(walked(&tree, Some("/../elsewhere")).0, ["", "/a"]);
    }

    #[test]
    fn groups_beyond_the_limit_are_counted() {
        let mut tree = Tree::in_memory(1);
        for group in 0..MOST_GROUPS + 9 {
            tree.put(0, &format!("/sys/fs/cgroup/group-{group}/cpu.max"), "");
        }
        assert_eq!(walked(&tree, None).1, Count { looked_at: 512, left_out: 10 });
    }
}
