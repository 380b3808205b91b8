//! The file systems that caches lie on.

use std::collections::BTreeSet;

use host::Host;
use serde::{Deserialize, Serialize};

use super::super::Configuration;
use super::zones;
use crate::composer::CodeMount;
use crate::mounts::Mounts;

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// The folder of a cache, and the file system it is on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheFolder {
    /// The folder as the configuration names it.
    pub path: String,
    /// Where its file system is mounted.
    pub mount_point: String,
    /// The type of the file system (`tmpfs`, `ext4`).
    pub filesystem: String,
    /// The size of the file system or of its device; `None` where neither is known.
    pub size_bytes: Option<u64>,
}

impl CacheFolder {
    /// Whether its files take memory.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.filesystem.as_str(), "tmpfs" | "ramfs")
    }
}

/// Every folder that a `*_cache_path` names, with its file system. A folder on none that can be told is left out.
pub(in crate::nginx) fn read(host: &dyn Host, configurations: &[&Configuration]) -> Vec<CacheFolder> {
    let paths: BTreeSet<&str> = configurations
        .iter()
        .flat_map(|configuration| zones(configuration))
        .map(|zone| zone.folder)
        .filter(|folder| folder.starts_with('/'))
        .collect();
    if paths.is_empty() {
        return vec![];
    }
    let Ok(mounts) = Mounts::read(host) else { return vec![] };
    let listed = host.read(MOUNTINFO).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let folder = |path: &str| {
        let mount = mounts.follow(host, path).mount?;
        Some(CacheFolder {
            path: path.to_owned(),
            size_bytes: size(host, &mount, &listed),
            mount_point: mount.mount_point,
            filesystem: mount.filesystem,
        })
    };
    paths.into_iter().filter_map(folder).collect()
}

/// What a mount says of its size, or the size of its device (`/sys/dev/block`).
fn size(host: &dyn Host, mount: &CodeMount, listed: &str) -> Option<u64> {
    if mount.filesystem == "tmpfs" {
        let size = mount.options.split(',').rev().find_map(|option| option.strip_prefix("size="));
        return match size.map(|size| (size, size.strip_suffix('%'))) {
            Some((_, Some(share))) => Some(memory_bytes(host)?.saturating_mul(share.parse().ok()?) / 100),
            Some((size, None)) => super::size_bytes(size),
            // Half of the memory where the mount names no size (tmpfs(5)).
            None => Some(memory_bytes(host)? / 2),
        };
    }
    // proc_pid_mountinfo(5): the third field is major:minor of the device, the fifth the mount point.
    let fields = |line: &str| {
        let mut fields = line.split(' ').skip(2);
        Some((fields.next()?.to_owned(), fields.nth(1)?.to_owned()))
    };
    let is_it = |(_, point): &(String, String)| *point == mount.mount_point;
    let device = listed.lines().rev().filter_map(fields).find(is_it)?.0;
    let sectors: u64 = host.value(&format!("/sys/dev/block/{device}/size")).ok()?.parse().ok()?;
    sectors.checked_mul(512)
}

fn memory_bytes(host: &dyn Host) -> Option<u64> {
    let text = host.value("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::configuration;
    use super::*;

    #[test]
    fn a_cache_below_a_link_to_run_is_in_memory() {
        let mut tree = host::Tree::in_memory(1);
        tree.put_link(0, "/var/run", "/run");
        tree.put(0, "/sys/dev/block/254:1/size", "2097152\n");
        tree.put(
            0,
            MOUNTINFO,
            "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n\
             25 22 0:24 / /run rw,nosuid - tmpfs tmpfs rw,size=803680k,mode=755\n",
        );
        let configuration = configuration(
            "http { fastcgi_cache_path /var/run/c keys_zone=A:1m; proxy_cache_path /var/cache/c keys_zone=B:1m; }",
        );
        let folders = read(&tree.at(0), &[&configuration]);
        let shown: Vec<_> =
            folders.iter().map(|one| (one.path.as_str(), one.filesystem.as_str(), one.size_bytes)).collect();
        assert_eq!(
            shown,
            [("/var/cache/c", "ext4", Some(1 << 30)), ("/var/run/c", "tmpfs", Some(803_680 << 10))]
        );
        assert!(folders[1].is_in_memory());
    }
}
