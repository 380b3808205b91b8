//! Names that a file system is asked for in vain, and memory that is wanted meanwhile.

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, open, statat};
use rustix::io::Errno;

use crate::faults::kernel;
use crate::faults::{Attempt, FaultError, Result, report_left_behind};

const MIB: usize = 1 << 20;
/// Names that are looked for between two looks at whether to go on.
const CHUNK: usize = 1000;

/// Looks for the classes of these numbers below `folder`, none of which is there, as a class loader does.
pub fn look_for(folder: &Path, numbers: Range<u64>) -> Result<()> {
    let shown = || format!("look for classes in {}", folder.display());
    let opened = open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let opened = opened.attempt(shown)?;
    for number in numbers {
        match statat(&opened, format!("missing-class-{number}.php"), AtFlags::empty()) {
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error).attempt(shown),
            Ok(_) => return Err(FaultError::new(format!("class {number} is in {}", folder.display()))),
        }
    }
    Ok(())
}

/// Writes a file of so many MiB.
pub fn write_file(path: &Path, mib: usize) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        let bytes = vec![0xA5; MIB];
        (0..mib).try_for_each(|_| file.write_all(&bytes))?;
        file.sync_all()
    };
    write().attempt(|| format!("write {mib} MiB to {}", path.display()))
}

/// Reads a file to its end.
pub fn read_file(path: &Path) -> Result<()> {
    read_at(path, |_| true)
}

/// Reads a file, and asks after each MiB whether to go on.
fn read_at(path: &Path, mut go_on: impl FnMut(usize) -> bool) -> Result<()> {
    let mut read = || {
        let (mut file, mut bytes) = (File::open(path)?, vec![0; MIB]);
        let mut all = 0;
        loop {
            let count = file.read(&mut bytes)?;
            all += count;
            if count == 0 || !go_on(all / MIB) {
                return Ok::<_, std::io::Error>(());
            }
        }
    };
    read().attempt(|| format!("read {}", path.display()))
}

/// Memory that the slab of directory entries takes, in MiB (`/proc/slabinfo`: slabs × pages of each).
pub fn slab_mib() -> Result<f64> {
    let text = kernel::read("/proc/slabinfo")?;
    let row = text.lines().find(|line| line.starts_with("dentry "));
    let column = |index| row?.split_whitespace().nth(index)?.parse::<f64>().ok();
    let bytes = column(5).zip(column(14)).map(|(pages, slabs)| slabs * pages * 4096.0);
    bytes.map(|bytes| bytes / MIB as f64).ok_or_else(|| FaultError::new("/proc/slabinfo has no row dentry"))
}

/// Work on a thread of its own, until it is dropped.
pub struct Going {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Going {
    fn on(work: impl FnOnce(&AtomicBool) -> Result<()> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Self { stop, thread: Some(std::thread::spawn(move || work(&told))) }
    }

    /// Looks for the same classes again and again.
    pub fn look_for(folder: &Path, numbers: Range<u64>) -> Self {
        let folder = folder.to_owned();
        Self::on(move |stop| {
            let mut next = numbers.clone().step_by(CHUNK).cycle();
            while !stop.load(Relaxed) {
                let from = next.next().unwrap_or(numbers.start);
                look_for(&folder, from..numbers.end.min(from + CHUNK as u64))?;
            }
            Ok(())
        })
    }

    /// Reads a file over and over, so many MiB a second.
    pub fn read_again(path: &Path, mib_per_s: f64) -> Self {
        let path = path.to_owned();
        Self::on(move |stop| {
            while !stop.load(Relaxed) {
                let began = Instant::now();
                read_at(&path, |mib| {
                    let due = began + Duration::from_secs_f64(mib as f64 / mib_per_s);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    !stop.load(Relaxed)
                })?;
            }
            Ok(())
        })
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Ok(Err(error))) = ended {
            report_left_behind(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_missed_and_one_that_is_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        look_for(folder.path(), 0..10).unwrap();
        write_file(&folder.path().join("missing-class-7.php"), 1).unwrap();
        assert!(look_for(folder.path(), 0..10).unwrap_err().to_string().starts_with("class 7 is in "));
    }
}
