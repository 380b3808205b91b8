//! Which file system a path lies on, from `/proc/self/mountinfo`, so that nothing on a network mount is ever touched.

use conf::unescape_octal;
use host::{Host, linked_path};
use model::Unread;

use crate::composer::CodeMount;

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// The most links that are followed in one path (`MAXSYMLINKS` of the kernel).
const MOST_LINKS: usize = 40;

/// Types of file systems for which another machine, or a program, answers.
const NETWORK: [&str; 18] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "9p",
    "virtiofs",
    "ocfs2",
    "gfs2",
    "gpfs",
    "beegfs",
    "orangefs",
    "coda",
    "autofs",
];

/// What is mounted where, without touching any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    /// In the order of the kernel's list: of several at one place the last hides the others.
    mounts: Vec<CodeMount>,
}

/// Where a path leads, all links followed as far as that can be done on file systems of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path without links, or as far as it could be followed.
    pub path: String,
    /// The file system it lies on.
    pub mount: Option<CodeMount>,
}

impl Place {
    /// Whether it may be looked at: it lies on a file system that is known and that no other machine answers for.
    pub fn is_local(&self) -> bool {
        self.mount.as_ref().is_some_and(|mount| !mount.network)
    }
}

impl Mounts {
    /// Reads what is mounted.
    ///
    /// # Errors
    /// When the list cannot be read; then no path may be looked at.
    pub fn read(host: &dyn Host) -> Result<Self, Unread> {
        let bytes = host.read(MOUNTINFO).map_err(|error| {
            Unread::new(
                format!("what is mounted where is not known: {error}"),
                format!("make {MOUNTINFO} readable"),
            )
        })?;
        Ok(Self::parse(&bytes))
    }

    /// Reads proc_pid_mountinfo(5); lines that are not understood are skipped.
    pub fn parse(bytes: &[u8]) -> Self {
        Self { mounts: bytes.split(|byte| *byte == b'\n').filter_map(mount).collect() }
    }

    /// The file system that an absolute path without links lies on.
    pub fn of(&self, path: &str) -> Option<&CodeMount> {
        let holds = |mount: &&CodeMount| is_below(path, &mount.mount_point);
        // Of equally long mount points the last one wins, as `max_by_key` has it.
        self.mounts.iter().filter(holds).max_by_key(|mount| mount.mount_point.len())
    }

    /// Follows the links of an absolute path, folder by folder, and stops before the first that is not local.
    pub fn follow(&self, host: &dyn Host, path: &str) -> Place {
        let place = |path: String| Place { mount: self.of(&path).cloned(), path };
        let mut rest: Vec<String> = names(path);
        let mut reached = String::new();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            let next = match name.as_str() {
                "." => continue,
                ".." => {
                    reached.truncate(reached.rfind('/').unwrap_or(0));
                    continue;
                }
                name => format!("{reached}/{name}"),
            };
            if self.of(&next).is_none_or(|mount| mount.network) {
                let beyond: Vec<_> = rest.iter().rev().map(String::as_str).collect();
                let whole = [&[next.as_str()][..], &beyond].concat().join("/");
                return Place { mount: self.of(&next).cloned(), path: whole };
            }
            match host.link(&next) {
                Ok(target) if links < MOST_LINKS => {
                    links += 1;
                    let target = linked_path(&next, &target);
                    rest.extend(names(&target));
                    reached.clear();
                }
                _ => reached = next,
            }
        }
        place(if reached.is_empty() { "/".to_owned() } else { reached })
    }
}

/// The names in a path, the last first.
fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).rev().map(str::to_owned).collect()
}

fn is_below(path: &str, folder: &str) -> bool {
    let Some(rest) = path.strip_prefix(folder.trim_end_matches('/')) else { return false };
    rest.is_empty() || rest.starts_with('/')
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn mount(line: &[u8]) -> Option<CodeMount> {
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let mut fields = line.split(|byte| *byte == b' ').skip(4);
    let mount_point = text(&unescape_octal(fields.next()?));
    let own = text(fields.next()?);
    let mut after = fields.skip_while(|field| *field != b"-").skip(1);
    let filesystem = text(after.next()?);
    let shared = after.nth(1).map(text).unwrap_or_default();
    let options = match shared.is_empty() {
        true => own,
        false => format!("{own},{shared}"),
    };
    Some(CodeMount { network: is_network(&filesystem), mount_point, filesystem, options })
}

/// Whether a file system hangs when something outside of the kernel does: a program of FUSE may be a network's client.
fn is_network(filesystem: &str) -> bool {
    NETWORK.contains(&filesystem) || filesystem.starts_with("fuse")
}

#[cfg(test)]
mod tests {
    use host::{Tree, TreeHost};
    use proptest::prelude::*;

    use super::*;

    const TABLE: &[u8] = b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,commit=30
30 22 0:30 / /srv/www rw,noatime shared:2 master:1 - nfs4 web:/srv rw,vers=4.2,actimeo=3
31 22 0:31 / /srv/a\\040b rw - tmpfs tmpfs rw
32 30 0:32 / /srv/www/local rw - xfs /dev/vdb rw
33 22 0:33 / /mnt/s rw - fuse.sshfs me@there: rw
not a line
";

    #[test]
    fn the_longest_mount_point_above_a_path_counts() {
        let mounts = Mounts::parse(TABLE);
        let on = |path: &str| mounts.of(path).map(|mount| (mount.filesystem.as_str(), mount.network));
        assert_eq!(on("/srv/www/site/index.php"), Some(("nfs4", true)));
        assert_eq!(on("/srv/www"), Some(("nfs4", true)));
        assert_eq!(on("/srv/www-old/index.php"), Some(("ext4", false)));
        assert_eq!(on("/srv/www/local/x"), Some(("xfs", false)));
        assert_eq!(on("/srv/a b/x"), Some(("tmpfs", false)));
        assert_eq!(on("/mnt/s/x"), Some(("fuse.sshfs", true)));
        assert_eq!(mounts.of("/srv/www").unwrap().options, "rw,noatime,rw,vers=4.2,actimeo=3");
        assert_eq!(Mounts::default().of("/"), None);
    }

    fn tree(links: &[(&str, &str)]) -> TreeHost {
        let mut tree = Tree::in_memory(1);
        for (link, target) in links {
            tree.put_link(0, link, target);
        }
        tree.at(0)
    }

    #[test]
    fn links_are_followed_until_a_network_mount_begins() {
        let host = tree(&[("/var/www/html", "../../srv/www/site"), ("/srv/www/site/current", "/elsewhere")]);
        let mounts = Mounts::parse(TABLE);
        let place = mounts.follow(&host, "/var/www/html/current/./wp-load.php");
        assert_eq!(place.path, "/srv/www/site/current/./wp-load.php");
        assert!(!place.is_local());
        let place = mounts.follow(&host, "/var/www/../www//other");
        assert_eq!((place.path.as_str(), place.is_local()), ("/var/www/other", true));
    }

    #[test]
    fn links_in_a_circle_end() {
        let host = tree(&[("/a", "b"), ("/b", "/a")]);
        assert!(Mounts::parse(TABLE).follow(&host, "/a/x").path.ends_with("/x"));
    }

    #[test]
    fn without_a_list_of_mounts_nothing_is_local() {
        let place = Mounts::default().follow(&tree(&[]), "/var/www");
        assert_eq!((place.is_local(), place.mount), (false, None));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), path in "[/a.]{0,20}") {
            let mounts = Mounts::parse(&bytes);
            let _ = mounts.of(&path);
            let _ = mounts.follow(&tree(&[]), &path);
        }
    }
}
