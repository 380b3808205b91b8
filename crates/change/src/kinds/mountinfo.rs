//! `/proc/PID/mountinfo`: what is mounted where, without touching any of it.

use conf::unescape_octal;

/// Of the calling thread, which may be in a mount namespace of its own.
pub(super) const MOUNTINFO: &str = "/proc/thread-self/mountinfo";

/// One mount (proc_pid_mountinfo(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mounted {
    /// Its number, unique while it is mounted.
    pub(super) id: u64,
    /// The mount it is mounted on.
    pub(super) parent: u64,
    /// The options of this mount, as listed.
    pub(super) options: String,
    /// The type of the file system, such as `ext4` or `fuse.sshfs`.
    pub(super) filesystem: String,
    /// The device or whatever stands for it.
    pub(super) source: String,
    /// The options of the file system, which all its mounts share, as listed.
    pub(super) super_options: String,
}

/// The topmost of the mounts at a path, which hides those below it.
pub(super) fn topmost(mountinfo: &[u8], mount_point: &str) -> Option<Mounted> {
    let found: Vec<_> =
        mountinfo.split(|byte| *byte == b'\n').filter_map(|line| at(line, mount_point)).collect();
    let covered = |mounted: &Mounted| found.iter().any(|other| other.parent == mounted.id);
    found.iter().rev().find(|mounted| !covered(mounted)).cloned()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, if it is mounted there.
fn at(line: &[u8], mount_point: &str) -> Option<Mounted> {
    let mut fields = line.split(|byte| *byte == b' ');
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let (id, parent, _device, _root, place) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if unescape_octal(place) != mount_point.as_bytes() {
        return None;
    }
    let options = text(fields.next()?);
    let mut after = fields.skip_while(|field| *field != b"-").skip(1);
    Some(Mounted {
        id: text(id).parse().ok()?,
        parent: text(parent).parse().ok()?,
        options,
        filesystem: text(after.next()?),
        source: text(&unescape_octal(after.next()?)),
        super_options: text(after.next()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &[u8] = b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,commit=30
30 22 0:30 / /mnt/a\\040b rw,nosuid - tmpfs a\\040b rw,size=4k
31 30 0:31 / /mnt/a\\040b ro,noatime shared:2 master:1 - nfs4 web:/srv rw,vers=4.2
32 22 0:32 / /mnt/a rw - tmpfs  rw
not a line
";

    #[test]
    fn the_topmost_of_several_mounts_counts() {
        let top = topmost(TABLE, "/mnt/a b").unwrap();
        assert_eq!((top.id, top.options.as_str(), top.filesystem.as_str()), (31, "ro,noatime", "nfs4"));
        assert_eq!((top.source.as_str(), top.super_options.as_str()), ("web:/srv", "rw,vers=4.2"));
        assert_eq!(topmost(TABLE, "/").unwrap().super_options, "rw,commit=30");
        assert_eq!(topmost(TABLE, "/mnt/a").unwrap().source, "");
        assert_eq!(topmost(TABLE, "/mnt"), None);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = topmost(&bytes, "/");
        }
    }
}
