use std::ffi::{CStr, CString, OsStr};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_bind};
use tempfile::NamedTempFile;

use super::child::Child;
use super::fuse_protocol::{Manner, serve};
use super::mount_namespace::MountNamespace;
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Attempt, Fault, FaultError, Health, Result};

/// A FUSE file system that takes requests and never answers, over a directory that only one mount namespace sees.
///
/// The server alone holds `/dev/fuse`. Its end, by the guard or because the test process died, aborts the connection,
/// and whoever is stuck goes on with an error; the mount goes with the namespace.
pub struct SilentFuse {
    server: Child,
    namespace: MountNamespace,
    counters: Shared<Counters>,
    directory: PathBuf,
}

struct Counters {
    mounted: AtomicU64,
    requests: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl SilentFuse {
    /// Mounts over `directory`, an existing absolute path.
    pub fn start(health: Health, directory: &Path) -> Result<Self> {
        if !directory.is_dir() {
            return Err(FaultError::new(format!("{} is no directory to mount over", directory.display())));
        }
        let target = CString::new(directory.as_os_str().as_bytes())
            .attempt(|| format!("spell {}", directory.display()))?;
        let namespace = MountNamespace::create()?;
        let counters = Shared::<Counters>::new()?;
        let manner = if health == Health::Broken { Manner::Silent } else { Manner::Prompt };
        let server = Child::fork(c"fuse-server", &[namespace.entrance()], &[], || {
            mount_and_serve(&target, manner, &counters)
        })?;
        let fault = Self { server, namespace, counters, directory: directory.to_owned() };
        wait_until("a FUSE mount", || {
            fault.server.check_alive()?;
            Ok(fault.counters.mounted.load(Relaxed) == 1)
        })?;
        Ok(fault)
    }

    /// Where the file system is mounted.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Shows `text` in place of the file at `path`, in the namespace alone.
    pub fn replace_file(&self, path: &CStr, text: &str) -> Result<()> {
        let mut file = NamedTempFile::new().attempt(|| "make a file to show".to_owned())?;
        file.write_all(text.as_bytes()).attempt(|| "fill a file to show".to_owned())?;
        // The mount keeps the file when its name is gone.
        let shown = CString::new(file.path().as_os_str().as_bytes()).attempt(|| "spell a path".to_owned())?;
        self.namespace
            .run(|| mount_bind(shown.as_c_str(), path).attempt(|| format!("show another file at {path:?}")))
    }

    /// Requests taken from the kernel after the handshake.
    pub fn requests(&self) -> u64 {
        self.counters.requests.load(Relaxed)
    }
}

impl Fault for SilentFuse {
    /// The condition holds as soon as the file system is mounted and served; `/proc/PID/mountinfo` must list it.
    fn wait_until_established(&self) -> Result<()> {
        let path = format!("/proc/{}/mountinfo", self.server.pid());
        let wanted = format!(" {} ", self.directory.display());
        wait_until("the mount in the namespace", || {
            let text = super::kernel::read(&path)?;
            Ok(text.lines().any(|line| line.contains(&wanted) && line.contains(" - fuse")))
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program)
    }
}

fn mount_and_serve(target: &CStr, manner: Manner, counters: &Counters) -> rustix::io::Result<()> {
    let device = rustix::fs::open(c"/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let mut options = [0_u8; 96];
    write_options(&mut options, device.as_raw_fd()).ok_or(Errno::NAMETOOLONG)?;
    let options = CStr::from_bytes_until_nul(&options).map_err(|_| Errno::INVAL)?;
    mount(c"narrows-silent", target, c"fuse", MountFlags::NOSUID | MountFlags::NODEV, options)?;
    counters.mounted.store(1, Relaxed);
    serve(device.as_fd(), manner, || {
        counters.requests.fetch_add(1, Relaxed);
    })
}

/// Formats the mount options into a buffer, without allocating (integers format on the stack).
fn write_options(mut buffer: &mut [u8], device: i32) -> Option<()> {
    write!(buffer, "fd={device},rootmode=40000,user_id=0,group_id=0,allow_other\0").ok()
}
