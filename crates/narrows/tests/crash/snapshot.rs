//! What a world holds, read apart from the code under test.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{lgetxattr, llistxattr};

use super::world::World;
use crate::faults::tools::Tool;
use crate::faults::{Attempt, Result};

const TC: Tool = Tool { program: "tc", package: "iproute2" };
const MARIADB: Tool = Tool { program: "mariadb", package: "mariadb-client" };
const ETHTOOL: Tool = Tool { program: "ethtool", package: "ethtool" };

/// Something to look at besides `/etc`.
#[derive(Clone, Debug)]
pub(crate) enum Watch {
    /// A file of the kernel that holds a value.
    Value(PathBuf),
    /// The same, as it is seen outside of the world.
    ValueOfMachine(PathBuf),
    /// What is mounted where, and how.
    Mounts,
    /// The queueing disciplines of all interfaces.
    Qdiscs,
    /// What a database answers to its root, at a socket.
    Answer(PathBuf, &'static str),
    /// The number of queues of an interface.
    Channels(&'static str),
}

impl Watch {
    /// A kernel parameter by its key.
    pub(crate) fn sysctl(key: &str) -> Self {
        Self::Value(Path::new("/proc/sys").join(key.replace('.', "/")))
    }
}

/// What was there at one instant, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Looks at `/etc` of a world with all below it, and at what else is to be watched.
    pub(crate) fn of(world: &World, watched: &[Watch]) -> Result<Self> {
        let of_machine = watched.iter().filter_map(|watch| match watch {
            Watch::ValueOfMachine(path) => Some(path),
            _ => None,
        });
        let mut seen = BTreeMap::new();
        for path in of_machine {
            seen.insert(format!("{} of the machine", path.display()), value(path)?);
        }
        world.run(|| {
            look_at_tree(Path::new("/etc"), &mut seen)?;
            for watch in watched {
                match watch {
                    Watch::Value(path) => {
                        seen.insert(path.display().to_string(), value(path)?);
                    }
                    Watch::ValueOfMachine(_) => {}
                    Watch::Answer(socket, question) => {
                        let words = ["--no-defaults", "--user=root", "--batch", "--socket"];
                        let socket = socket.to_string_lossy();
                        let asked = [&words[..], &[&socket, "--execute", question]].concat();
                        seen.insert(format!("{question} at {socket}"), MARIADB.run(&asked)?);
                    }
                    Watch::Mounts => {
                        let mounts = value(Path::new("/proc/thread-self/mountinfo"))?;
                        seen.insert("mounts".into(), own_mounts(&mounts));
                    }
                    Watch::Qdiscs => {
                        seen.insert("qdiscs".into(), TC.run(&["-d", "qdisc", "show"])?);
                    }
                    Watch::Channels(interface) => {
                        seen.insert(format!("channels of {interface}"), ETHTOOL.run(&["-l", interface])?);
                    }
                }
            }
            Ok(Self(seen))
        })
    }

    /// What is not the same in `later`, one line each.
    pub(crate) fn differences(&self, later: &Self) -> Vec<String> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(later.0.keys()).collect();
        let shown =
            |value: Option<&String>| value.map_or("not there".to_owned(), |value| format!("{value:?}"));
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != later.0.get(*name))
            .map(|name| format!("{name}: was {}, is {}", shown(self.0.get(name)), shown(later.0.get(name))))
            .collect()
    }
}

fn value(path: &Path) -> Result<String> {
    fs::read_to_string(path).attempt(|| format!("read {}", path.display()))
}

/// proc(5) `/proc/PID/mountinfo` without the numbers of each mount and its parent, of which every namespace has its
/// own, and without the names of network namespaces, which go everywhere when another test removes them.
fn own_mounts(mountinfo: &str) -> String {
    let lines = mountinfo.lines().filter(|line| !line.contains(" /run/netns/"));
    lines.map(|line| line.splitn(3, ' ').skip(2).collect::<String>() + "\n").collect()
}

fn look_at_tree(path: &Path, seen: &mut BTreeMap<String, String>) -> Result<()> {
    let metadata = fs::symlink_metadata(path).attempt(|| format!("look at {}", path.display()))?;
    let contents = if metadata.is_symlink() {
        let to = fs::read_link(path).attempt(|| format!("read the link {}", path.display()))?;
        format!("link to {}", to.display())
    } else if metadata.is_dir() {
        // Its time of modification tells of a file that came and went, which is no loss.
        "directory".to_owned()
    } else {
        let bytes = fs::read(path).attempt(|| format!("read {}", path.display()))?;
        format!("modified {}.{:09} {}", metadata.mtime(), metadata.mtime_nsec(), bytes.escape_ascii())
    };
    seen.insert(path.display().to_string(), format!("{} {contents}", kept(path, &metadata)?));
    if metadata.is_dir() {
        let entries = fs::read_dir(path).attempt(|| format!("list {}", path.display()))?;
        for entry in entries {
            look_at_tree(&entry.attempt(|| format!("list {}", path.display()))?.path(), seen)?;
        }
    }
    Ok(())
}

/// Owner, mode, and extended attributes.
fn kept(path: &Path, metadata: &Metadata) -> Result<String> {
    let attempted = || format!("read the extended attributes of {}", path.display());
    let mut names = vec![0; 4096];
    let length = llistxattr(path, &mut names[..]).attempt(attempted)?;
    let mut attributes = vec![];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 4096];
        let length = lgetxattr(path, name, &mut value[..]).attempt(attempted)?;
        attributes.push(format!("{}={}", name.escape_ascii(), value[..length].escape_ascii()));
    }
    attributes.sort_unstable();
    let (uid, gid, mode) = (metadata.uid(), metadata.gid(), metadata.mode());
    Ok(format!("{uid}:{gid} {mode:o} [{}]", attributes.join(" ")))
}
