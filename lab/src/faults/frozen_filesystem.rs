use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;

use super::child::{Child, LastWill, pace};
use super::mount_namespace::MountNamespace;
use super::shared::{Atomics, Shared};
use super::tools::{MKFS_EXT4, NSENTER};
use super::wait::wait_until;
use super::{Attempt, Fault, Health, Result, kernel, report_left_behind};

const IMAGE_BYTES: u64 = 32 << 20;
const BETWEEN_WRITES: Duration = Duration::from_millis(20);
/// Each writer starts its file anew after this many bytes, so that the image never fills.
const FILE_BYTES: u64 = 64 << 10;
/// `_IOWR('X', 119, int)` and `_IOWR('X', 120, int)` of linux/fs.h.
const FIFREEZE: libc::Ioctl = 0xC004_5877;
const FITHAW: libc::Ioctl = 0xC004_5878;

/// An ext4 file system on a loop device, frozen as a snapshot tool leaves it, and processes that write to it.
///
/// Each writer sleeps in state D (`/proc/PID/stat`), unkillable until the thaw.
pub struct FrozenFilesystem {
    /// Dropped after the thaw: nothing can end them before.
    writers: Vec<Child>,
    counters: Shared<Counters>,
    /// The root of the file system, while mounted.
    root: Option<OwnedFd>,
    last_will: Option<LastWill>,
    namespace: MountNamespace,
    directory: TempDir,
    health: Health,
}

struct Counters {
    writes: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl FrozenFilesystem {
    /// Makes the file system, freezes it if it is to be broken, and starts this many writers.
    pub fn start(health: Health, writers: usize) -> Result<Self> {
        let directory = TempDir::new().attempt(|| "make a directory for a file system".to_owned())?;
        let mut fault = Self {
            writers: Vec::new(),
            counters: Shared::new()?,
            root: None,
            last_will: None,
            namespace: MountNamespace::create()?,
            directory,
            health,
        };
        fault.mount()?;
        for index in 0..writers {
            fault.add_writer(index)?;
        }
        wait_until("a first write of each writer", || Ok(fault.writes()? >= 2 * writers as u64))?;
        if health == Health::Broken {
            let root = fault.root.as_ref().map(AsFd::as_fd);
            root.map_or(Err(Errno::BADF), |root| control(root, FIFREEZE))
                .attempt(|| "freeze a file system".to_owned())?;
        }
        Ok(fault)
    }

    /// Where the file system is mounted, in the namespace of [`Fault::command`].
    pub fn mount_point(&self) -> PathBuf {
        self.directory.path().join("frozen")
    }

    /// The processes that write.
    pub fn writer_pids(&self) -> Vec<u32> {
        self.writers.iter().map(Child::pid).collect()
    }

    /// Writes completed.
    pub fn writes(&self) -> Result<u64> {
        self.writers.iter().try_for_each(Child::check_alive)?;
        Ok(self.counters.writes.load(Relaxed))
    }

    fn mount(&mut self) -> Result<()> {
        let (image, mount_point) = (self.directory.path().join("image"), self.mount_point());
        fs::create_dir(&mount_point).attempt(|| format!("make {}", mount_point.display()))?;
        File::create(&image)
            .and_then(|file| file.set_len(IMAGE_BYTES))
            .attempt(|| format!("make {}", image.display()))?;
        let (image_text, point_text) = (text(&image), text(&mount_point));
        MKFS_EXT4.run(&["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", &image_text])?;
        let option = self.namespace.nsenter_option();
        NSENTER.run(&[&option, "--", "mount", "-o", "loop", "-t", "ext4", &image_text, &point_text])?;
        let c_path = CString::new(point_text).attempt(|| "spell a mount point".to_owned())?;
        let root = self.namespace.open_directory(&c_path)?;
        let kept = root.as_fd();
        self.last_will = Some(LastWill::write(&[kept], || {
            let _ = control(kept, FITHAW);
        })?);
        self.root = Some(root);
        Ok(())
    }

    fn add_writer(&mut self, index: usize) -> Result<()> {
        let name = CString::new(format!("file-{index}")).attempt(|| "spell a file name".to_owned())?;
        let (Some(root), counters) = (self.root.as_ref(), &self.counters) else { return Ok(()) };
        let root = root.as_fd();
        let writer = Child::fork(c"frozen-writer", &[self.namespace.entrance()], &[root], || {
            keep_writing(root, &name, counters)
        })?;
        self.writers.push(writer);
        Ok(())
    }
}

impl Fault for FrozenFilesystem {
    fn wait_until_established(&self) -> Result<()> {
        if self.health == Health::Healthy {
            let before = self.writes()?;
            return wait_until("more writes", || Ok(self.writes()? >= before + 20));
        }
        wait_until("all writers in state D", || {
            let states = self.writer_pids().into_iter().map(kernel::process_state);
            Ok(states.collect::<Result<Vec<_>>>()?.iter().all(|state| *state == 'D'))
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program)
    }
}

impl Drop for FrozenFilesystem {
    fn drop(&mut self) {
        if let Some(root) = self.root.take() {
            // Fails on a file system that is not frozen, such as the twin's.
            let _ = control(root.as_fd(), FITHAW);
        }
        self.writers.clear();
        drop(self.last_will.take());
        let mount_point = self.mount_point();
        let unmounted = self
            .namespace
            .run(|| unmount(&mount_point, UnmountFlags::empty()).attempt(|| "unmount".to_owned()));
        if let Err(error) = unmounted {
            report_left_behind(format!("{} (until its namespace ends): {error}", mount_point.display()));
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn control(root: BorrowedFd<'_>, request: libc::Ioctl) -> rustix::io::Result<()> {
    // SAFETY: FIFREEZE and FITHAW ignore their argument.
    match unsafe { libc::ioctl(root.as_raw_fd(), request, 0) } {
        0 => Ok(()),
        _ => Err(Errno::INVAL),
    }
}

fn keep_writing(root: BorrowedFd<'_>, name: &CStr, counters: &Counters) -> rustix::io::Result<()> {
    let file = openat(root, name, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR)?;
    let block = [0xA5_u8; 4096];
    let mut offset = 0;
    loop {
        rustix::io::pwrite(&file, &block, offset)?;
        offset = (offset + block.len() as u64) % FILE_BYTES;
        counters.writes.fetch_add(1, Relaxed);
        pace(BETWEEN_WRITES);
    }
}
