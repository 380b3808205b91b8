//! Follows a log that is being written, through rotation by renaming and by cutting.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::SourceError;
use crate::digest::Digest;
use crate::ingest::Feed;
use crate::select::Select;
use crate::settings::Settings;

/// Where following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// At the end: only what is written from now on counts.
    #[default]
    End,
    /// At the beginning of the file.
    Beginning,
}

/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(200);
/// How long nothing must come until the last record is taken to be whole.
const SETTLED: Duration = Duration::from_secs(1);
/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// A log that is followed.
#[derive(Debug)]
pub struct Follow<'s> {
    path: PathBuf,
    file: Option<File>,
    /// How much of the file was read.
    position: u64,
    inode: u64,
    feed: Feed<'s>,
    buffer: Vec<u8>,
    /// When something came last.
    grown: Instant,
}

impl<'s> Follow<'s> {
    /// Opens a log.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(
        path: &Path,
        start: Start,
        settings: &'s Settings,
        select: &'s dyn Select,
    ) -> Result<Self, SourceError> {
        let failed = |error| SourceError::Open { path: path.to_owned(), error };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let position = match start {
            Start::Beginning => 0,
            Start::End => io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failed)?,
        };
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            position,
            inode: metadata.ino(),
            feed: Feed::new(settings, select, &path.display().to_string(), position),
            buffer: vec![0; CHUNK],
            grown: Instant::now(),
        })
    }

    /// Follows the log, and hands over the digest of what came every so often, until told to stop.
    ///
    /// # Errors
    /// Where the log can no longer be read.
    pub fn run(
        &mut self,
        every: Duration,
        report: &mut dyn FnMut(Digest) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let mut next = Instant::now() + every;
        loop {
            self.poll()?;
            let now = Instant::now();
            if now >= next {
                if report(self.feed.take()).is_break() {
                    return Ok(());
                }
                next = now + every;
            }
            std::thread::sleep(POLL.min(next.saturating_duration_since(Instant::now())));
        }
    }

    /// Reads what there is now, and notices rotation.
    ///
    /// # Errors
    /// Where the log can no longer be read.
    pub fn poll(&mut self) -> Result<(), SourceError> {
        self.read_on()?;
        // The name may be gone for a moment while the log is rotated.
        if let Ok(metadata) = std::fs::metadata(&self.path) {
            if metadata.ino() != self.inode {
                // What was written to the old file before the server let go of it.
                self.read_on()?;
                self.reopen()?;
            } else if metadata.len() < self.position {
                self.feed.end();
                self.reopen()?;
            }
        }
        if self.grown.elapsed() >= SETTLED {
            self.feed.settle();
        }
        Ok(())
    }

    /// The digest of what came since the last time.
    pub fn take(&mut self) -> Digest {
        self.feed.take()
    }

    /// Takes the last record to be whole without waiting for what follows it.
    pub fn settle(&mut self) {
        self.feed.settle();
    }

    fn reopen(&mut self) -> Result<(), SourceError> {
        self.feed.end();
        self.file = None;
        // Where it is gone again it is looked for the next time.
        let Ok(file) = File::open(&self.path) else { return Ok(()) };
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| SourceError::Open { path: self.path.clone(), error })?;
        (self.inode, self.position, self.file) = (metadata.ino(), 0, Some(file));
        self.read_on()
    }

    fn read_on(&mut self) -> Result<(), SourceError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.feed.push(self.buffer.get(..count).unwrap_or_default());
                    self.position += count as u64;
                    self.grown = Instant::now();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::Read { path: self.path.clone(), error }),
            }
        }
    }
}
