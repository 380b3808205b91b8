//! The network namespace that a target belongs to.

use std::fs::{self, File};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_change, move_mount,
    open_tree,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use serde::{Deserialize, Serialize};

use crate::shell::{comment, quoted};
use crate::{ChangeError, State};

/// That of the calling thread, which `/proc/self` would not be in a program of several threads.
const OWN: &str = "/proc/thread-self/ns/net";

/// Where iproute2 keeps the names (ip-netns(8)).
const NAMES: &str = "/run/netns";

/// A network namespace other than the one narrows was started in, and how to find it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NetworkNamespace {
    /// The number of its inode in nsfs, as in the link `/proc/PID/ns/net`. Once the namespace has gone, the kernel
    /// soon gives the number to another.
    pub inode: u64,
    /// `/proc/sys/kernel/random/boot_id` of the boot in which it was seen.
    pub boot_id: String,
    /// Its name for `ip netns`, where it has one.
    pub name: Option<String>,
    /// A process that was in it.
    pub process: Option<u32>,
    /// The number that no other namespace gets until the next boot (`SO_NETNS_COOKIE`); `None` before Linux 5.14.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
}

impl NetworkNamespace {
    /// The namespace that the calling thread is in, unless it is that of process 1. `None` also where the kernel does
    /// not tell, so that what is read is then taken for the host's own.
    pub fn current() -> Option<Self> {
        // Process 1 may hide its namespaces, in a sandbox for one. The kernel's own threads are always in the first.
        let kernel_thread = || {
            let name = std::fs::read_to_string("/proc/2/comm").ok()?;
            (name.trim() == "kthreadd").then(|| Path::new("/proc/2/ns/net"))
        };
        let first = Path::new("/proc/1/ns/net");
        let first = if inode(first).is_ok() { Some(first) } else { kernel_thread() };
        first.and_then(Self::apart_from)
    }

    /// That of the calling thread, unless the link leads to the same.
    fn apart_from(first: &Path) -> Option<Self> {
        let own = inode(Path::new(OWN)).ok()?;
        if own == inode(first).ok()? {
            return None;
        }
        Some(Self {
            inode: own,
            boot_id: boot_id().ok()?,
            name: name_of(own),
            process: None,
            cookie: cookie(),
        })
    }

    /// The namespace that a process is in.
    ///
    /// # Errors
    /// When there is no such process, or its namespace may not be entered.
    pub fn of_process(pid: u32) -> Result<Self, ChangeError> {
        let attempted = format!("find the network namespace of process {pid}");
        let failed = |error: io::Error| ChangeError::io(attempted.clone(), &error);
        let handle = File::open(format!("/proc/{pid}/ns/net")).map_err(failed)?;
        let inode = handle.metadata().map_err(failed)?.ino();
        let boot_id = boot_id().map_err(failed)?;
        let cookie = on_thread(&handle, || Ok(cookie()))?;
        Ok(Self { inode, boot_id, name: name_of(inode), process: Some(pid), cookie })
    }

    /// Finds a namespace as a person names it: by a process in it, or by its name for `ip netns`.
    ///
    /// # Errors
    /// When there is none of that name or number, or it may not be entered.
    pub fn find(text: &str) -> Result<Self, ChangeError> {
        if let Ok(pid) = text.parse() {
            return Self::of_process(pid);
        }
        let path = Path::new(NAMES).join(text);
        let failed = |error: io::Error| {
            ChangeError::io(format!("find network namespace {text}"), &error).help("`ip netns` lists them")
        };
        let handle = File::open(&path).map_err(failed)?;
        let inode = inode(&path).map_err(failed)?;
        let boot_id = boot_id().map_err(failed)?;
        let cookie = on_thread(&handle, || Ok(cookie()))?;
        Ok(Self { inode, boot_id, name: Some(text.to_owned()), process: None, cookie })
    }

    /// Moves the calling thread, and every thread it starts from now on, into the namespace, with a `/sys` that shows
    /// its interfaces. There is no way back, so that this is for the beginning of a program.
    ///
    /// # Errors
    /// When it has gone, or the caller may not enter it.
    pub fn enter_for_good(&self) -> Result<(), ChangeError> {
        let attempted =
            || format!("enter network namespace {}", self.name.as_deref().unwrap_or("of the process"));
        let handle = self.open().ok_or_else(|| ChangeError::new(attempted(), "it has gone"))?;
        move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|errno| {
            ChangeError::io(attempted(), &errno.into()).help("it needs root (CAP_SYS_ADMIN)")
        })?;
        own_sysfs()
    }

    /// A line of shell that runs another one in the namespace. With `sysfs`, what is below `/sys/class/net` is that
    /// of the namespace too, as `ip netns exec` does it by itself.
    pub(crate) fn shell(&self, line: &str, sysfs: bool) -> String {
        if let Some(line) = self.boot_shell(line) {
            return line;
        }
        let inside = if sysfs {
            format!("unshare --mount sh -c {}", quoted(&format!("mount -t sysfs narrows /sys && {line}")))
        } else {
            format!("sh -c {}", quoted(line))
        };
        match self.process {
            Some(process) => format!("nsenter --net=/proc/{process}/ns/net {inside}"),
            None => format!(
                "for net in /proc/[0-9]*/ns/net; do if [ \"$(readlink \"$net\")\" = 'net:[{}]' ]; \
                 then nsenter --net=\"$net\" {inside}; break; fi; done",
                self.inode
            ),
        }
    }

    /// The same by name, which alone can find a namespace after a boot.
    pub(crate) fn boot_shell(&self, line: &str) -> Option<String> {
        let name = self.name.as_ref()?;
        Some(format!("ip netns exec {} sh -c {}", quoted(name), quoted(line)))
    }

    /// Whether the calling thread is in it.
    fn is_here(&self) -> bool {
        inode(Path::new(OWN)).is_ok_and(|own| own == self.inode)
            && boot_id().is_ok_and(|boot| boot == self.boot_id)
            && self.has_cookie(cookie())
    }

    fn has_cookie(&self, found: Option<u64>) -> bool {
        self.cookie.is_none() || found.is_none() || self.cookie == found
    }

    /// Opens something that leads to a namespace with this inode, and keeps that one from going.
    fn open(&self) -> Option<File> {
        let of_process = |process: &dyn std::fmt::Display| PathBuf::from(format!("/proc/{process}/ns/net"));
        let names = entries(NAMES).map(|name| Path::new(NAMES).join(name));
        let processes = entries("/proc").filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let named = self.name.iter().map(|name| Path::new(NAMES).join(name));
        let recorded = self.process.iter().map(|process| of_process(process));
        std::iter::once(PathBuf::from(OWN))
            .chain(named)
            .chain(recorded)
            .chain(names)
            .chain(processes.map(|process| of_process(&process)))
            .find_map(|path| self.open_if_same(&path))
    }

    fn open_if_same(&self, path: &Path) -> Option<File> {
        // A leftover of a name is a plain file, which has no business being opened.
        if inode(path).ok()? != self.inode {
            return None;
        }
        let handle = File::open(path).ok()?;
        (handle.metadata().ok()?.ino() == self.inode).then_some(handle)
    }
}

/// Runs work in a namespace, or where the caller is. `Ok(None)` when the namespace has gone.
pub(crate) fn within<T: Send>(
    namespace: Option<&NetworkNamespace>,
    work: impl FnOnce() -> Result<T, ChangeError> + Send,
) -> Result<Option<T>, ChangeError> {
    match namespace {
        Some(namespace) if !namespace.is_here() => enter(namespace, work),
        _ => work().map(Some),
    }
}

/// As [`within`], with `/sys` showing the interfaces of the namespace while the work runs.
///
/// A sysfs shows the namespace of the one who mounted it, so that setns(2) alone would find those of another one
/// below `/sys/class/net`. The thread that does the work gets a mount namespace of its own, which ends with it.
pub(crate) fn within_sysfs<T: Send>(
    namespace: Option<&NetworkNamespace>,
    work: impl FnOnce() -> Result<T, ChangeError> + Send,
) -> Result<Option<T>, ChangeError> {
    match namespace {
        Some(namespace) => enter(namespace, || own_sysfs().and_then(|()| work())),
        None => work().map(Some),
    }
}

/// Reads in a namespace; one that has gone holds nothing.
pub(super) fn read_in(inside: Result<Option<State>, ChangeError>) -> Result<State, ChangeError> {
    Ok(inside?.unwrap_or(State::Absent))
}

/// Writes in a namespace; nothing can be written to one that has gone.
pub(super) fn written_in(name: &str, inside: Result<Option<()>, ChangeError>) -> Result<(), ChangeError> {
    inside?.ok_or_else(|| {
        ChangeError::new(format!("write {name}"), "the network namespace it belongs to has gone")
            .help("what it held went with it; there is nothing to put back")
    })
}

/// The lines for a boot script, where a namespace has no name said as a comment.
pub(super) fn boot_lines_in(
    namespace: Option<&NetworkNamespace>,
    name: &str,
    lines: Vec<String>,
) -> Vec<String> {
    let Some(namespace) = namespace else { return lines };
    let inside = |line: String| {
        namespace.boot_shell(&line).unwrap_or_else(|| {
            format!("# {}: its network namespace has no name to find it by after a boot", comment(name))
        })
    };
    lines.into_iter().map(inside).collect()
}

fn enter<T: Send>(
    namespace: &NetworkNamespace,
    work: impl FnOnce() -> Result<T, ChangeError> + Send,
) -> Result<Option<T>, ChangeError> {
    let attempted = || format!("enter network namespace {}", namespace.inode);
    if boot_id().map_err(|error| ChangeError::io(attempted(), &error))? != namespace.boot_id {
        return Ok(None);
    }
    let Some(handle) = namespace.open() else { return Ok(None) };
    on_thread(&handle, || if namespace.has_cookie(cookie()) { work().map(Some) } else { Ok(None) })
}

/// Runs work on a thread of its own that has entered a namespace: no other thread of narrows moves.
fn on_thread<T: Send>(
    handle: &File,
    work: impl FnOnce() -> Result<T, ChangeError> + Send,
) -> Result<T, ChangeError> {
    let failed = |error: io::Error| {
        ChangeError::io("enter a network namespace", &error).help("it needs root (CAP_SYS_ADMIN)")
    };
    thread::scope(|scope| {
        let inside = thread::Builder::new().spawn_scoped(scope, || {
            move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(|error| failed(error.into()))?;
            work()
        });
        match inside.map_err(failed)?.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Gives the calling thread a `/sys` of its network namespace.
fn own_sysfs() -> Result<(), ChangeError> {
    let failed =
        |error: rustix::io::Errno| ChangeError::io("mount a sysfs of the network namespace", &error.into());
    // SAFETY: the table of file descriptors stays shared, which is what the caller of this function must see to.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS) }.map_err(failed)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).map_err(failed)?;
    // Control groups and debugfs are mounted below the old one.
    let tree =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let control_groups = open_tree(CWD, "/sys/fs", tree);
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(c"narrows", c"/sys", c"sysfs", flags, None).map_err(failed)?;
    let Ok(control_groups) = control_groups else { return Ok(()) };
    let into_place = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(control_groups, "", CWD, "/sys/fs", into_place).map_err(failed)
}

fn inode(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.ino())
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The first name in the alphabet, so that the same namespace always gets the same.
fn name_of(inode_number: u64) -> Option<String> {
    let same = |name: &String| inode(&Path::new(NAMES).join(name)).is_ok_and(|found| found == inode_number);
    entries(NAMES).filter(same).min()
}

/// Names in a folder; none where it cannot be read.
fn entries(folder: &str) -> impl Iterator<Item = String> {
    let names = fs::read_dir(folder).into_iter().flatten();
    names.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// The cookie of the calling thread's namespace, from a socket made in it.
fn cookie() -> Option<u64> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    let mut cookie = 0_u64;
    let mut length = libc::socklen_t::try_from(size_of::<u64>()).ok()?;
    // SAFETY: the pointers are to a number of eight bytes and to its length, both alive and writable during the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    (status == 0).then_some(cookie)
}

#[cfg(test)]
#[path = "namespace_tests.rs"]
mod tests;
