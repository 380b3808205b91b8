use std::fs::File;
use std::io::ErrorKind;
use std::process::Command;

use super::{Attempt, FaultError, Result};

/// A program of the distribution that prepares a fault.
#[derive(Clone, Copy)]
pub struct Tool {
    /// Its name on the path.
    pub program: &'static str,
    /// The Debian package it comes from.
    pub package: &'static str,
}

/// Sets up network namespaces.
pub const IP: Tool = Tool { program: "ip", package: "iproute2" };
/// Runs programs without root's rights.
pub const SETPRIV: Tool = Tool { program: "setpriv", package: "util-linux" };
/// Makes file systems.
pub const MKFS_EXT4: Tool = Tool { program: "mkfs.ext4", package: "e2fsprogs" };
/// Sets queueing disciplines.
pub const TC: Tool = Tool { program: "tc", package: "iproute2" };
/// Loads modules of the kernel.
pub const MODPROBE: Tool = Tool { program: "modprobe", package: "kmod" };
/// Sets what network cards do by themselves.
pub const ETHTOOL: Tool = Tool { program: "ethtool", package: "ethtool" };
/// Enters namespaces.
pub const NSENTER: Tool = Tool { program: "nsenter", package: "util-linux" };
/// Mounts file systems.
pub const MOUNT: Tool = Tool { program: "mount", package: "mount" };
/// Exports folders by NFS.
pub const EXPORTFS: Tool = Tool { program: "exportfs", package: "nfs-kernel-server" };
/// Starts the kernel's NFS server.
pub const NFSD: Tool = Tool { program: "rpc.nfsd", package: "nfs-kernel-server" };
/// Writes autoloaders of PHP applications.
pub const COMPOSER: Tool = Tool { program: "composer", package: "composer" };
/// Runs PHP outside a web server.
pub const PHP: Tool = Tool { program: "php8.2", package: "php8.2-cli" };
/// Shows the system calls of a program.
pub const STRACE: Tool = Tool { program: "strace", package: "strace" };
/// Answers which exports a client may mount.
pub const MOUNTD: Tool = Tool { program: "rpc.mountd", package: "nfs-kernel-server" };

impl Tool {
    /// Runs the program and returns its standard output; a missing package is an error that names it.
    pub fn run(self, arguments: &[&str]) -> Result<String> {
        self.run_with(&[], arguments)
    }

    /// The same, with variables of the environment.
    pub fn run_with(self, environment: &[(&str, &str)], arguments: &[&str]) -> Result<String> {
        let Self { program, package } = self;
        let shown = || format!("run `{program} {}`", arguments.join(" "));
        let mut command = Command::new(program);
        let output = match command.args(arguments).envs(environment.iter().copied()).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(FaultError::new(format!(
                    "`{program}` is missing; install it: apt-get install {package}"
                )));
            }
            other => other.attempt(shown)?,
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let cause = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", output.status, cause.trim())).attempt(shown)
    }
}

/// Fails unless the effective user is root, which every fault here needs.
pub fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(FaultError::new("real faults need root: sudo -E cargo test -p narrows --test real_faults"))
}

/// Waits for the sole right to change or measure what the whole machine shares; held until dropped.
///
/// A file lock rather than a mutex, so that two runs of the tests on one machine also take turns.
pub fn machine_alone() -> Result<File> {
    let path = std::env::temp_dir().join("narrows-real-faults.lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .attempt(|| format!("open the lock {}", path.display()))?;
    lock.lock().attempt(|| format!("lock {}", path.display()))?;
    Ok(lock)
}
