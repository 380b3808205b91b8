//! Reads memory from `/proc`.

use std::collections::BTreeMap;

use host::{Host, HostError};
use model::Unread;

use super::parse::{parse_dentry_state, parse_meminfo, parse_slabinfo, parse_vmstat};
use super::{Facts, Slab};

/// So many caches are kept, biggest first; those of directory entries and inodes are always kept.
const MOST_SLABS: usize = 64;

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc/meminfo` cannot be read, or tells of no memory.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let (meminfo, skipped) =
        parse_meminfo(&host.read("/proc/meminfo").map_err(|error| HostError::unread(&error))?);
    if !meminfo.contains_key("MemTotal") {
        return Err(Unread::new("/proc/meminfo has no line MemTotal", "check what wrote this file"));
    }
    let mut facts = Facts { meminfo, skipped, ..Facts::default() };
    if let Ok(bytes) = host.read("/proc/vmstat") {
        let (vmstat, skipped) = parse_vmstat(&bytes);
        facts.vmstat = vmstat;
        facts.skipped += skipped;
    }
    match slabs_matter(&facts.meminfo).then(|| host.read("/proc/slabinfo")) {
        Some(Ok(bytes)) => {
            let (slabs, skipped) = parse_slabinfo(&bytes);
            facts.slabs = Some(biggest(slabs));
            facts.skipped += skipped;
        }
        // A kernel built without it has nothing to enable.
        Some(Err(error @ HostError::Permission { .. })) => facts.unread.push(error.unread()),
        Some(Err(_)) | None => {}
    }
    if let Ok(bytes) = host.read("/proc/sys/fs/dentry-state") {
        facts.dentries = parse_dentry_state(&bytes, counts_negative(host));
        facts.skipped += u64::from(facts.dentries.is_none());
    }
    let number = |path: &str| host.value(path).ok()?.parse().ok();
    facts.vfs_cache_pressure = number("/proc/sys/vm/vfs_cache_pressure");
    facts.swappiness = number("/proc/sys/vm/swappiness");
    Ok(facts)
}

/// Whether the kernel's caches take enough memory (a twentieth, or an unknown share) to look at each of them: reading
/// `/proc/slabinfo` costs as much as all the rest of this layer, and holds the caches' mutex meanwhile.
pub fn slabs_matter(meminfo: &BTreeMap<String, u64>) -> bool {
    match (meminfo.get("Slab"), meminfo.get("MemTotal")) {
        (Some(slab), Some(total)) => slab.saturating_mul(20) >= *total,
        _ => true,
    }
}

/// Whether the kernel counts negative directory entries: since Linux 5.0 (fs/dcache.c).
fn counts_negative(host: &dyn Host) -> bool {
    let release = host.value("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 5)
}

fn biggest(mut slabs: Vec<Slab>) -> Vec<Slab> {
    let size = |slab: &Slab| slab.objects.saturating_mul(slab.object_bytes);
    slabs.sort_by_key(|slab| std::cmp::Reverse(size(slab)));
    let mut kept = 0;
    slabs.retain(|slab| {
        kept += 1;
        kept <= MOST_SLABS || slab.name == "dentry" || slab.name.contains("inode_cache")
    });
    slabs
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_host_without_root_has_no_slabs_and_all_else() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/meminfo", "MemTotal: 100 kB\n");
        tree.put(0, "/proc/vmstat", "nr_mapped 1000\n");
        tree.put(0, "/proc/sys/vm/swappiness", "60\n");
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.slabs, facts.swappiness, facts.vmstat.len()), (None, Some(60), 1));
    }

    #[test]
    fn small_caches_are_dropped_but_not_those_of_names_and_inodes() {
        let slab =
            |name: &str, objects| Slab { name: name.to_owned(), objects, object_bytes: 8, ..Slab::default() };
        let mut slabs: Vec<_> = (0..100).map(|index| slab("kmalloc-8", 1000 + index)).collect();
        slabs.push(slab("dentry", 1));
        slabs.push(slab("ext4_inode_cache", 2));
        let kept = biggest(slabs);
        assert_eq!((kept.len(), kept[0].objects), (66, 1099));
    }
}
