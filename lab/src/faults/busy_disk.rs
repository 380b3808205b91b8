use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use tempfile::NamedTempFile;

use super::child::{Child, pace};
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Attempt, Fault, FaultError, Health, Result, kernel};

const FILE_BYTES: u64 = 128 << 20;
const READ_BYTES: usize = 256 << 10;
const READERS: usize = 4;
const BETWEEN_RARE_READS: Duration = Duration::from_millis(200);
const WINDOW: Duration = Duration::from_millis(500);
/// The share of a window in which a busy device has requests in flight.
const BUSY_SHARE: f64 = 0.8;

/// Processes that read a file at random, past the page cache, so that its device always has a request in flight.
///
/// The kernel counts that time as `io_ticks` in `/proc/diskstats`. The twin reads once in a while.
pub struct BusyDisk {
    readers: Vec<Child>,
    counters: Shared<Counters>,
    device: (u32, u32),
    health: Health,
    _file: NamedTempFile,
}

struct Counters {
    reads: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl BusyDisk {
    /// Starts on the device of `directory`, which must be on a file system that has one and supports `O_DIRECT`.
    pub fn start(health: Health, directory: &Path) -> Result<Self> {
        let file = NamedTempFile::new_in(directory)
            .attempt(|| format!("make a file to read in {}", directory.display()))?;
        fill(file.as_file()).attempt(|| format!("write {FILE_BYTES} bytes in {}", directory.display()))?;
        let device = device_of(file.as_file())?;
        let direct = File::options()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open(file.path())
            .attempt(|| format!("open {} with O_DIRECT", file.path().display()))?;
        let counters = Shared::<Counters>::new()?;
        let (readers, interval) = match health {
            Health::Broken => (READERS, None),
            Health::Healthy => (1, Some(BETWEEN_RARE_READS)),
        };
        let readers = (1..=readers as u64)
            .map(|seed| {
                let file = direct.as_fd();
                Child::fork(c"disk-reader", &[], &[file], || keep_reading(file, interval, seed, &counters))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { readers, counters, device, health, _file: file })
    }

    /// Major and minor number of the device.
    pub fn device(&self) -> (u32, u32) {
        self.device
    }

    /// Reads completed.
    pub fn reads(&self) -> Result<u64> {
        self.readers.iter().try_for_each(Child::check_alive)?;
        Ok(self.counters.reads.load(Relaxed))
    }

    /// Measures the share of a short window in which the device had a request in flight.
    pub fn busy_share(&self) -> Result<f64> {
        let (start, before) = (Instant::now(), kernel::disk_busy_ms(self.device)?);
        wait_until("the end of a window", || Ok(start.elapsed() >= WINDOW))?;
        let busy_ms = kernel::disk_busy_ms(self.device)?.saturating_sub(before);
        Ok(busy_ms as f64 / (start.elapsed().as_secs_f64() * 1000.0))
    }
}

impl Fault for BusyDisk {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("a busy device, or a few reads of the twin", || match self.health {
            Health::Broken => self.reads().and(Ok(self.busy_share()? > BUSY_SHARE)),
            Health::Healthy => Ok(self.reads()? >= 3),
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        Command::new(program)
    }
}

/// Writes real blocks: a hole or an unwritten extent would be read without the device.
fn fill(mut file: &File) -> std::io::Result<()> {
    let block = vec![0xA5_u8; 1 << 20];
    for _ in 0..FILE_BYTES / block.len() as u64 {
        file.write_all(&block)?;
    }
    file.sync_all()
}

fn device_of(file: &File) -> Result<(u32, u32)> {
    let device = file.metadata().attempt(|| "find the device of a file".to_owned())?.dev();
    match (libc::major(device), libc::minor(device)) {
        (0, _) => Err(FaultError::new(
            "the file is not on a block device; set TMPDIR to a directory of a disk file system",
        )),
        numbers => Ok(numbers),
    }
}

fn keep_reading(
    file: BorrowedFd<'_>,
    interval: Option<Duration>,
    seed: u64,
    counters: &Counters,
) -> rustix::io::Result<()> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh private mapping, page aligned as O_DIRECT demands, that lives until the process ends.
    let buffer = unsafe {
        let start = mmap_anonymous(ptr::null_mut(), READ_BYTES, protection, MapFlags::PRIVATE)?;
        std::slice::from_raw_parts_mut(start.cast::<u8>(), READ_BYTES)
    };
    let blocks = FILE_BYTES / READ_BYTES as u64;
    let mut random = seed;
    loop {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let block = (random >> 33) % blocks;
        rustix::io::pread(file, &mut *buffer, block * READ_BYTES as u64)?;
        counters.reads.fetch_add(1, Relaxed);
        if let Some(interval) = interval {
            pace(interval);
        }
    }
}
