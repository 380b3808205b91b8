//! A place to be killed in: network interfaces, mounts and an `/etc` that nobody else sees.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use change::kinds::NetworkNamespace;
use rustix::fs::{XattrFlags, lsetxattr};
use rustix::mount::{MountFlags, mount};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use tempfile::TempDir;

use super::tracer::{self, Ended, Interference};
use crate::faults::tools::{MKFS_EXT4, NSENTER};
use crate::faults::{Attempt, FaultError, MountNamespace, Namespace, Result};

/// The program under test.
const NARROWS: &str = env!("CARGO_BIN_EXE_narrows");
const IMAGE_BYTES: u64 = 16 << 20;

/// Files of `/etc` that programs need, copied from the machine's own.
const COPIED: &[&str] = &["passwd", "group", "nsswitch.conf", "machine-id", "hostname"];

/// A configuration file as people leave it: comments, blanks, an odd end, a value twice.
pub(crate) const SYSCTL_CONF: &str = "# set after the outage\n\nnet.core.somaxconn = 128   # was 4096\n\
    ; kept for the old kernel\nvm.swappiness=10\nnet.ipv4.tcp_fin_timeout\t=\t60\n# the end, without a newline";

const NGINX_CONF: &str = "error_log stderr;\nevents { }\nhttp {\n    access_log off;\n    \
    keepalive_timeout 75s; # as ever\n    server { listen 127.0.0.1:8080; }\n}\n";

/// Namespaces of their own, and what is in them.
pub(crate) struct World {
    network: Namespace,
    mounts: MountNamespace,
    directory: TempDir,
    /// State directories. In memory: a kill takes nothing from the page cache, so that a disk would only cost time.
    states: TempDir,
    next_state: AtomicUsize,
    /// Whether narrows is started in the network namespace of the machine, as one that a container's processes use.
    from_outside: bool,
}

impl World {
    /// Makes a world: `veth0` with four queues, `tap0`, `/etc`, and an ext4 of its own.
    pub(crate) fn create() -> Result<Self> {
        let world = Self::furnished(false)?;
        world.mount(&["-t", "sysfs", "sysfs", "/sys"])?;
        Ok(world)
    }

    /// The same, with narrows outside of its network namespace.
    pub(crate) fn create_seen_from_outside() -> Result<Self> {
        Self::furnished(true)
    }

    fn furnished(from_outside: bool) -> Result<Self> {
        let network = Namespace::create()?;
        let veth = "link add veth0 numtxqueues 4 numrxqueues 4 type veth peer name veth1";
        for line in
            [veth, "tuntap add tap0 mode tap", "link set veth0 up", "link set veth1 up", "link set tap0 up"]
        {
            network.ip(&line.split(' ').collect::<Vec<_>>())?;
        }
        let mounts = MountNamespace::create()?;
        let directory = TempDir::new().attempt(|| "make a directory for a world".into())?;
        let states = TempDir::new_in("/dev/shm").attempt(|| "make a directory for journals".into())?;
        let world =
            Self { network, mounts, directory, states, next_state: AtomicUsize::new(0), from_outside };
        world.furnish_etc()?;
        world.mount(&["--bind", &text(&world.etc()), "/etc"])?;
        world.mount_disk()?;
        Ok(world)
    }

    fn furnish_etc(&self) -> Result<()> {
        let etc = self.etc();
        for directory in ["sysctl.d", "systemd/system", "nginx"] {
            fs::create_dir_all(etc.join(directory)).attempt(|| format!("make /etc/{directory}"))?;
        }
        for name in COPIED {
            let from = Path::new("/etc").join(name);
            fs::copy(&from, etc.join(name)).attempt(|| format!("copy {}", from.display()))?;
        }
        let conf = etc.join("sysctl.d/60-site.conf");
        fs::write(&conf, SYSCTL_CONF).attempt(|| "write a configuration file".into())?;
        fs::set_permissions(&conf, fs::Permissions::from_mode(0o640)).attempt(|| "set a mode".into())?;
        chown(&conf, Some(65534), Some(1)).attempt(|| "set an owner".into())?;
        lsetxattr(&conf, "user.note", b"kept \xff by hand", XattrFlags::empty())
            .attempt(|| "set an extended attribute".into())?;
        let nginx = format!("pid {};\n{NGINX_CONF}", self.disk().join("nginx.pid").display());
        fs::write(etc.join("nginx/nginx.conf"), nginx).attempt(|| "write a configuration file".into())
    }

    fn mount_disk(&self) -> Result<()> {
        let (image, disk) = (self.directory.path().join("image"), self.disk());
        fs::create_dir(&disk).attempt(|| format!("make {}", disk.display()))?;
        fs::File::create(&image)
            .and_then(|file| file.set_len(IMAGE_BYTES))
            .attempt(|| format!("make {}", image.display()))?;
        MKFS_EXT4.run(&["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", &text(&image)])?;
        self.mount(&["-o", "loop,relatime,nodev", "-t", "ext4", &text(&image), &text(&disk)])
    }

    /// Runs mount(8) in the world.
    pub(crate) fn mount(&self, arguments: &[&str]) -> Result<()> {
        let network = format!("--net=/run/netns/{}", self.network.name());
        let enter = [network.as_str(), &self.mounts.nsenter_option(), "--", "mount"];
        NSENTER.run(&[&enter, arguments].concat()).map(drop)
    }

    /// Where the machine sees what the world sees as `/etc`.
    pub(crate) fn etc(&self) -> PathBuf {
        self.directory.path().join("etc")
    }

    /// Where an ext4 of its own is mounted.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.path().join("disk")
    }

    /// The loop device below [`World::disk`], as in `/sys/block`.
    pub(crate) fn loop_device(&self) -> Result<String> {
        let image = self.directory.path().join("image");
        let devices = fs::read_dir("/sys/block").attempt(|| "list /sys/block".into())?;
        devices
            .flatten()
            .find(|device| {
                let file = fs::read_to_string(device.path().join("loop/backing_file"));
                file.is_ok_and(|file| Path::new(file.trim()) == image)
            })
            .map(|device| device.file_name().to_string_lossy().into_owned())
            .ok_or_else(|| FaultError::new("no loop device has the image of the world"))
    }

    /// A directory that no transaction was recorded in yet.
    pub(crate) fn new_state_directory(&self) -> PathBuf {
        self.states.path().join(self.next_state.fetch_add(1, Relaxed).to_string())
    }

    /// Writes a file that is no part of what is observed, such as a plan.
    pub(crate) fn write_aside(&self, name: &str, contents: &[u8]) -> Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, contents).attempt(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Runs a command of narrows with a state directory.
    pub(crate) fn narrows(
        &self,
        arguments: &[&str],
        state: &Path,
        interference: Interference<'_>,
    ) -> Result<Ended> {
        let mut command = self.command()?;
        command.args(arguments).arg("--state-dir").arg(state);
        tracer::run(&mut command, interference)
    }

    /// Prepares narrows to run in the world.
    pub(crate) fn command(&self) -> Result<Command> {
        let duplicate = |fd: BorrowedFd<'_>| {
            fd.try_clone_to_owned().attempt(|| "copy the descriptor of a namespace".into())
        };
        let network = (!self.from_outside).then(|| duplicate(self.network.entrance())).transpose()?;
        let mounts = duplicate(self.mounts.entrance())?;
        let mut command = Command::new(NARROWS);
        let enter = move || {
            if let Some(network) = &network {
                move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            }
            move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
            Ok(())
        };
        // SAFETY: system calls only, on descriptors that live as long as the command.
        unsafe { command.pre_exec(enter) };
        Ok(command)
    }

    /// Runs `work` on a thread that sees what narrows sees.
    pub(crate) fn run_as_narrows<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.from_outside { self.mounts.run(work) } else { self.run(work) }
    }

    /// Runs `work` on a thread that sees what the world sees.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let from_outside = self.from_outside;
        let inside = move || {
            if from_outside {
                // Its interfaces are seen in a sysfs that is mounted from within, here for this thread alone.
                // SAFETY: gives this thread a mount namespace of its own; descriptors stay shared.
                unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }
                    .and_then(|()| mount("sysfs", "/sys", "sysfs", MountFlags::empty(), None))
                    .attempt(|| "mount a sysfs".into())?;
            }
            work()
        };
        self.mounts.run(|| self.network.run(inside))
    }

    /// How a target names the network namespace of this world: not at all when narrows runs in it.
    pub(crate) fn namespace_of_targets(&self) -> Result<Option<NetworkNamespace>> {
        if !self.from_outside {
            return Ok(None);
        }
        let found = self.network.run(|| Ok(NetworkNamespace::current()))?;
        found
            .map(Some)
            .ok_or_else(|| FaultError::new("the network namespace of a world is not told from the machine's"))
    }

    /// Processes that live in the world, by number and command line. One that is ending has none any more.
    pub(crate) fn inhabitants(&self) -> Result<Vec<(u32, String)>> {
        let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
        let world = namespace(self.mounts.holder());
        let processes = fs::read_dir("/proc").attempt(|| "list /proc".into())?;
        let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        Ok(numbers
            .filter(|pid| *pid != self.mounts.holder() && namespace(*pid) == world)
            .filter_map(|pid| Some((pid, fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?)))
            .filter(|(_, line)| !line.is_empty())
            .map(|(pid, line)| (pid, line.replace('\0', " ")))
            .collect())
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
