//! What a reading without root's rights lacks although its layers were read.

use model::Unread;

use crate::Evidence;
use crate::memory::slabs_matter;

/// The parts of layers that only root may read, where they are missing. Empty when the host was read as root, and for
/// trees, which do not say by whom they were read.
pub fn unread(evidence: &Evidence) -> Vec<(&'static str, Unread)> {
    if evidence.host.root != Some(false) {
        return vec![];
    }
    let last = evidence.readings.last();
    let memory = last.and_then(|reading| reading.memory.facts());
    let slabs = memory.is_some_and(|memory| memory.slabs.is_none() && slabs_matter(&memory.meminfo));
    let key = evidence.settings.value("net.ipv4.tcp_fastopen_key").is_none();
    let as_root = |why: &str| Unread::new(why, "run narrows as root");
    let mut unread = vec![(
        "tasks",
        as_root("where tasks of other users wait: /proc/PID/stack and /proc/PID/syscall are root's"),
    )];
    if slabs {
        unread.push(("memory", as_root("kernel memory by use: /proc/slabinfo is root's")));
    }
    if key {
        unread.push(("settings", as_root("whether the TCP Fast Open key is zero: its file is root's")));
    }
    unread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read_tree;
    use host::Tree;

    #[test]
    fn only_a_reader_without_root_lacks_what_is_roots() {
        let mut tree = Tree::in_memory(2);
        tree.put(0, "/proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 512 kB\n");
        let mut evidence = read_tree(&tree).unwrap();
        for (root, rows) in [(None, 0), (Some(true), 0), (Some(false), 3)] {
            evidence.host.root = root;
            assert_eq!(unread(&evidence).len(), rows, "{root:?}");
        }
    }
}
