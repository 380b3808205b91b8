//! One writer at a time.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::ChangeError;

/// The sole right to change this host through one state directory. Released when dropped, and by the kernel when the
/// process dies (flock(2)).
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who holds it; makes the state directory where there is none.
    ///
    /// To be taken before the journal is opened: SQLite would wait for the other process too, but only for so long, and
    /// without a word about who it is.
    ///
    /// # Errors
    /// When another process holds it longer than `patience`, or the file cannot be made.
    pub fn take(directory: &Path, patience: Duration) -> Result<Self, ChangeError> {
        let path = super::directory::made(directory)?.join("lock");
        let shown = path.display();
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| ChangeError::io(format!("open {shown}"), &error))?;
        let start = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if start.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(Errno::AGAIN) => return Err(held(&mut file, &shown.to_string())),
                Err(errno) => return Err(ChangeError::io(format!("lock {shown}"), &errno.into())),
            }
        }
        // Who holds it is a courtesy to others: the lock stands without it, on a full disk too.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn held(file: &mut File, path: &str) -> ChangeError {
    let mut holder = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder));
    let holder = match holder.trim() {
        "" => "another narrows".to_owned(),
        pid => format!("narrows with process ID {pid}"),
    };
    ChangeError::new(format!("lock {path}"), format!("{holder} is changing this host now"))
        .help("wait until it has ended, then look at `narrows history`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path(), Duration::ZERO).unwrap();
        let refused = Lock::take(directory.path(), Duration::ZERO).unwrap_err();
        assert!(refused.why.contains(&std::process::id().to_string()), "{refused}");
        drop(first);
        // A program that another test is starting holds a copy of the descriptor until it is executed.
        Lock::take(directory.path(), Duration::from_secs(10)).unwrap();
    }
}
