//! Reads NFS statistics and the list of network mounts. No mount point is ever touched: a dead server would hang the
//! reader.

use std::collections::BTreeMap;

use host::{Host, HostError, text};
use model::Unread;

use super::mountstats::parse_mountstats;
use super::{Facts, Mount, OtherMount};

/// File system types whose data lies behind a network or a user-space process, NFS aside.
const OTHERS: [&str; 10] =
    ["cifs", "smb3", "9p", "virtiofs", "ceph", "afs", "lustre", "glusterfs", "ocfs2", "beegfs"];

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc/self/mountstats` cannot be read.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mountstats = host.read("/proc/self/mountstats").map_err(|error| HostError::unread(&error))?;
    let mut facts = parse_mountstats(&mountstats);
    let mounts = host.read("/proc/self/mounts").or_else(|_| host.read("/proc/mounts")).unwrap_or_default();
    let (listed, skipped) = parse_mounts(&mounts);
    facts.skipped += skipped;
    for line in listed {
        if is_other(&line.filesystem) {
            facts.others.push(OtherMount { mount_point: line.mount_point, filesystem: line.filesystem });
        } else if let Some(mount) = mount_at(&mut facts.mounts, &line) {
            mount.mount_options = line.options;
        }
    }
    let slots = host.value("/sys/module/nfs/parameters/max_session_slots").ok();
    facts.max_session_slots = slots.and_then(|text| text.parse().ok());
    Ok(facts)
}

fn is_other(filesystem: &str) -> bool {
    OTHERS.contains(&filesystem) || filesystem == "fuse" || filesystem.starts_with("fuse.")
}

/// The last mount at a mount point is the one that is seen.
fn mount_at<'a>(mounts: &'a mut [Mount], line: &MountLine) -> Option<&'a mut Mount> {
    mounts.iter_mut().rev().find(|mount| mount.mount_point == line.mount_point && mount.device == line.device)
}

/// A line of `/proc/self/mounts` (fstab(5) gives its format).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountLine {
    /// The device or export.
    pub device: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// The file system's type.
    pub filesystem: String,
    /// The options of the mount and of the file system.
    pub options: BTreeMap<String, Option<String>>,
}

/// Parses `/proc/self/mounts`; the second value is the number of lines that were skipped.
pub fn parse_mounts(bytes: &[u8]) -> (Vec<MountLine>, u64) {
    let (mut mounts, mut skipped) = (vec![], 0);
    for (_, _, line) in text::lines(bytes).filter(|(_, _, line)| !line.is_empty()) {
        let mut words = text::words(line);
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(device), Some(mount_point), Some(filesystem), Some(options)) => mounts.push(MountLine {
                device: unescape(device),
                mount_point: unescape(mount_point),
                filesystem: text::string(filesystem),
                options: parse_options(options),
            }),
            _ => skipped += 1,
        }
    }
    (mounts, skipped)
}

/// Options of a mount: `hard,vers=4.1` becomes `hard` without and `vers` with a value. The last of a name counts.
pub(super) fn parse_options(word: &[u8]) -> BTreeMap<String, Option<String>> {
    let options = word.trim_ascii().split(|byte| *byte == b',').filter(|option| !option.is_empty());
    options
        .map(|option| {
            let option = unescape(option);
            match option.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (option, None),
            }
        })
        .collect()
}

/// Undoes the kernel's octal escapes (`\040` for a blank; fs/seq_file.c, `mangle_path`).
pub(super) fn unescape(word: &[u8]) -> String {
    let mut plain = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        match digits.and_then(octal) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    text::string(&plain)
}

fn octal(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = matches!(digit, b'0'..=b'7').then(|| digit - b'0')?;
        value.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn escapes_are_undone_and_broken_ones_kept() {
        assert_eq!(unescape(br"/srv/my\040files\134x"), r"/srv/my files\x");
        assert_eq!(unescape(br"a\09\777\04"), r"a\09\777\04");
    }

    #[test]
    fn other_network_mounts_are_listed_and_slots_are_read() {
        let mut tree = Tree::in_memory(1);
        tree.put(
            0,
            "/proc/self/mountstats",
            "device nas:/web mounted on /var/www with fstype nfs4 statvers=1.1\n",
        );
        let mounts = "nas:/web /var/www nfs4 ro,noatime,vers=4.1 0 0\n//nas/x /srv/x cifs rw 0 0\nshort\n\
            host:/y /srv/y fuse.sshfs rw 0 0\n/dev/vda1 / ext4 rw 0 0\n";
        tree.put(0, "/proc/self/mounts", mounts);
        tree.put(0, "/sys/module/nfs/parameters/max_session_slots", "64\n");
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.skipped, facts.max_session_slots), (1, Some(64)));
        let others: Vec<_> = facts.others.iter().map(|mount| mount.filesystem.as_str()).collect();
        assert_eq!(others, ["cifs", "fuse.sshfs"]);
        assert!(facts.mounts[0].mount_options.contains_key("noatime"));
    }

    #[test]
    fn a_host_without_network_mounts_has_facts() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountstats", "device proc mounted on /proc with fstype proc\n");
        assert_eq!(read(&tree.at(0)).unwrap(), Facts::default());
        assert!(read(&Tree::in_memory(1).at(0)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_mounts(&bytes);
            parse_options(&bytes);
            unescape(&bytes);
        }
    }
}
