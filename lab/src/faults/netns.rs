use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::mount::{UnmountFlags, unmount};

use super::child::LastWill;
use super::tools::{IP, NSENTER, require_root};
use super::{Attempt, FaultError, Result, report_left_behind};

/// A network namespace of its own, `lo` up, known to `ip netns`; deleted when dropped.
pub struct Namespace {
    name: String,
    entrance: File,
    last_will: Option<LastWill>,
}

impl Namespace {
    /// Makes a namespace whose name no other process of this machine uses.
    pub fn create() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        require_root()?;
        let name = format!("narrows-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        IP.run(&["netns", "add", &name])?;
        let path = format!("/run/netns/{name}");
        let opened = File::open(&path).attempt(|| format!("open {path}"));
        let entrance = opened.inspect_err(|_| delete(&name))?;
        let mut namespace = Self { name, entrance, last_will: None };
        let handle = CString::new(path).attempt(|| "spell the path of a namespace".to_owned())?;
        namespace.last_will = Some(LastWill::write(&[], || {
            let _ = unmount(handle.as_c_str(), UnmountFlags::DETACH);
            let _ = rustix::fs::unlink(handle.as_c_str());
        })?);
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// What `ip netns` calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A descriptor to enter the namespace by (setns(2)).
    pub fn entrance(&self) -> BorrowedFd<'_> {
        self.entrance.as_fd()
    }

    /// Runs `ip` with `arguments` in the namespace.
    pub fn ip(&self, arguments: &[&str]) -> Result<String> {
        IP.run(&[&["-n", self.name.as_str()], arguments].concat())
    }

    /// Prepares `program` to run in the namespace.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(IP.program);
        command.args(["netns", "exec", self.name.as_str()]).arg(program);
        command
    }

    /// Same as [`Namespace::command`], with the `/sys` of the machine and all that is mounted in it. `ip netns exec`
    /// mounts a new one, which shows the links of the namespace and no control groups.
    pub fn command_beside_the_machine(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(NSENTER.program);
        command.arg(format!("--net=/run/netns/{}", self.name)).arg("--").arg(program);
        command
    }

    /// Runs `work` on a thread that has entered the namespace.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                rustix::thread::move_into_link_name_space(self.entrance(), None)
                    .attempt(|| format!("enter network namespace {}", self.name))?;
                work()
            });
            worker.join().map_err(|_| FaultError::new("work in a network namespace panicked"))?
        })
    }

    /// Sets a sysctl that belongs to the namespace, such as `net/ipv4/ip_local_port_range`.
    pub fn set(&self, sysctl: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/{sysctl}");
        self.run(|| std::fs::write(&path, value).attempt(|| format!("write {value} to {path}")))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        delete(&self.name);
        drop(self.last_will.take());
    }
}

fn delete(name: &str) {
    if let Err(error) = IP.run(&["netns", "delete", name]) {
        report_left_behind(error);
    }
}

/// Two namespaces joined by a veth pair, named `veth0` at both ends.
pub struct VethPair {
    /// The end with [`Self::LEFT`].
    pub left: Namespace,
    /// The end with [`Self::RIGHT`].
    pub right: Namespace,
}

impl VethPair {
    /// The address of the left end (TEST-NET-1, RFC 5737).
    pub const LEFT: [u8; 4] = [192, 0, 2, 1];
    /// The address of the right end.
    pub const RIGHT: [u8; 4] = [192, 0, 2, 2];

    /// Makes both namespaces and the link; `link_options` are those of `ip link set veth0` for both ends.
    pub fn create(link_options: &[&str]) -> Result<Self> {
        let pair = Self { left: Namespace::create()?, right: Namespace::create()? };
        let (veth, peer) = (["link", "add", "name", "veth0", "type", "veth"], ["peer", "name", "veth0"]);
        pair.left.ip(&[&veth[..], &peer[..], &["netns", &pair.right.name]].concat())?;
        for (namespace, address) in [(&pair.left, Self::LEFT), (&pair.right, Self::RIGHT)] {
            let address = format!("{}/24", std::net::Ipv4Addr::from(address));
            namespace.ip(&["address", "add", &address, "dev", "veth0"])?;
            namespace.ip(&[&["link", "set", "dev", "veth0"], link_options, &["up"]].concat())?;
        }
        Ok(pair)
    }
}
