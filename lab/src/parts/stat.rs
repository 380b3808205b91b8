//! Workers that stat(2) files one after another, as PHP workers do that revalidate their scripts.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use rustix::fs::stat;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::{ClockId, clock_gettime};

use crate::faults::child::{Child, pace};
use crate::faults::shared::{Atomics, Shared};
use crate::faults::{Attempt, FaultError, Result};

/// The most rounds of all workers together that are timed.
const MOST_ROUNDS: usize = 8192;
/// Files are spread over so many folders.
const FOLDERS: usize = 12;

/// The rounds of all workers, in the order in which they ended.
struct Rounds {
    claimed: AtomicU64,
    ended: AtomicU64,
    nanoseconds: [AtomicU64; MOST_ROUNDS],
}

// SAFETY: atomics only.
unsafe impl Atomics for Rounds {}

/// Who does how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Processes.
    pub workers: usize,
    /// Files that each looks at in a round.
    pub files: usize,
    /// Rounds of each.
    pub rounds: usize,
    /// How long each rests after a round.
    pub pause: Duration,
}

impl Work {
    /// One round of each.
    pub const fn once(workers: usize, files: usize) -> Self {
        Self { workers, files, rounds: 1, pause: Duration::ZERO }
    }

    /// Rounds without end, as far as a test goes, each followed by a second's rest as between two pages.
    pub const fn steadily(workers: usize, files: usize) -> Self {
        Self { workers, files, rounds: MOST_ROUNDS / workers, pause: Duration::from_secs(1) }
    }
}

/// The name of the `index`th file, from its folder on.
pub fn file_name(index: usize) -> String {
    format!("d{}/f{index}.php", index % FOLDERS)
}

/// Does the work in `folder`; gives the seconds that each round of each worker took.
pub fn run(folder: &Path, work: Work) -> Result<Vec<f64>> {
    let all = work.workers * work.rounds;
    if all > MOST_ROUNDS {
        return Err(FaultError::new(format!(
            "{all} rounds are more than the {MOST_ROUNDS} that can be timed"
        )));
    }
    let paths = (0..work.files).map(|index| {
        let path = folder.join(file_name(index));
        CString::new(path.as_os_str().as_bytes()).attempt(|| format!("spell {}", path.display()))
    });
    let paths = paths.collect::<Result<Vec<_>>>()?;
    let rounds = Shared::<Rounds>::new()?;
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).attempt(|| "make a pipe for workers".to_owned())?;
    let start = || Child::fork(c"stat", &[], &[writer.as_fd()], || worker(&paths, work, &rounds));
    let workers = (0..work.workers).map(|_| start()).collect::<Result<Vec<_>>>()?;
    drop(writer);
    // No worker writes to it: its end is that of the last of them.
    rustix::io::read(&reader, &mut [0_u8; 1]).attempt(|| "wait for workers".to_owned())?;
    drop(workers);
    let ended = rounds.ended.load(Acquire);
    if ended != all as u64 {
        return Err(FaultError::new(format!(
            "{ended} of {all} rounds ended; are there {} files?",
            work.files
        )));
    }
    let seconds = |nanoseconds: &AtomicU64| nanoseconds.load(Relaxed) as f64 / 1e9;
    Ok(rounds.nanoseconds.iter().take(all).map(seconds).collect())
}

fn worker(paths: &[CString], work: Work, rounds: &Rounds) -> rustix::io::Result<()> {
    for _ in 0..work.rounds {
        let began = nanoseconds();
        for path in paths {
            stat(path.as_c_str())?;
        }
        let took = nanoseconds() - began;
        let place = rounds.claimed.fetch_add(1, Relaxed);
        if let Some(round) = usize::try_from(place).ok().and_then(|place| rounds.nanoseconds.get(place)) {
            round.store(took, Relaxed);
        }
        rounds.ended.fetch_add(1, Release);
        pace(work.pause);
    }
    Ok(())
}

fn nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_of_every_worker_is_timed_and_a_missing_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for path in (0..3).map(|index| folder.path().join(file_name(index))) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let work = Work { workers: 2, files: 3, rounds: 4, pause: Duration::ZERO };
        assert_eq!(run(folder.path(), work).unwrap().len(), 8);
        let error = run(folder.path(), Work::once(2, 4)).unwrap_err();
        assert!(error.to_string().starts_with("0 of 2 rounds ended"), "{error}");
    }
}
