//! Where logs come from: files, packed or not, standard input, files that are still being written.
//!
//! Files are read, not mapped: a mapped file that is truncated kills the process that looks at it.
#![allow(clippy::disallowed_methods, reason = "reads the logs that its caller names, and nothing else")]

mod follow;

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::ingest::Ingest;
use crate::problem::Problem;
use crate::saved::{self, LoadError};
use crate::select::Select;
use crate::settings::Settings;

pub use follow::{Follow, Start};

/// Why a log could not be digested.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened.
    #[error("could not open {path}: {error}")]
    Open {
        /// Its name.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It cannot be read.
    #[error("could not read {path}: {error}")]
    Read {
        /// Its name.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is a saved digest that cannot be used.
    #[error("could not load {path}: {error}")]
    Load {
        /// Its name.
        path: PathBuf,
        /// Why.
        error: LoadError,
    },
}

/// What a log is called that is standard input.
pub const STANDARD_INPUT: &str = "-";
/// How much of a log is looked at to tell what it is.
const START: usize = 32;

/// Digests logs and saved digests, in the order given; [`STANDARD_INPUT`] is standard input.
///
/// # Errors
/// Where one cannot be opened, or is a saved digest that is damaged. A log that fails half-way counts as far as it was read,
/// and its [`crate::File`] says so.
pub fn digest(paths: &[PathBuf], settings: &Settings, select: &dyn Select) -> Result<Digest, SourceError> {
    let mut whole = Digest::default();
    let mut ingest = Ingest::new(settings, select);
    for path in paths {
        if let Some(saved) = read_one(path, &mut ingest)? {
            // Files stay in the order in which they were given.
            whole.merge(&std::mem::replace(&mut ingest, Ingest::new(settings, select)).finish());
            whole.merge(&saved);
        }
    }
    if whole.files.is_empty() {
        return Ok(ingest.finish());
    }
    whole.merge(&ingest.finish());
    Ok(whole)
}

/// Digests a log; returns the digest where it is a saved one.
fn read_one(path: &Path, ingest: &mut Ingest<'_>) -> Result<Option<Digest>, SourceError> {
    if path.as_os_str() == STANDARD_INPUT {
        let input = io::stdin();
        return read_stream(path, input, None, ingest);
    }
    let open = |error| SourceError::Open { path: path.to_owned(), error };
    let file = File::open(path).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_dir() {
        return Err(open(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    // A pipe or device says no size.
    let size = metadata.is_file().then_some(metadata.len());
    read_stream(path, file, size, ingest)
}

/// What a stream is, by its first bytes.
enum Content<R> {
    Plain(R),
    Gzip(R),
    Zstd(R),
    Saved(R),
}

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

fn look<R: Read>(mut input: R) -> io::Result<Content<Whole<R>>> {
    let mut start = Vec::with_capacity(START);
    input.by_ref().take(START as u64).read_to_end(&mut start)?;
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    // A frame, or a skippable frame, which tools put before frames.
    let is_zstd = start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || matches!(start.get(..4), Some([0x50..=0x5f, 0x2a, 0x4d, 0x18]));
    let is_saved = saved::is_saved(&start);
    let whole = Cursor::new(start).chain(input);
    Ok(match () {
        () if is_gzip => Content::Gzip(whole),
        () if is_zstd => Content::Zstd(whole),
        () if is_saved => Content::Saved(whole),
        () => Content::Plain(whole),
    })
}

fn read_stream(
    path: &Path,
    input: impl Read + Send + Grows,
    size: Option<u64>,
    ingest: &mut Ingest<'_>,
) -> Result<Option<Digest>, SourceError> {
    let failed = |error| SourceError::Read { path: path.to_owned(), error };
    let name = path.display().to_string();
    let mut input = input;
    // What is written after this moment belongs to another reading: a busy log would never end.
    let limited = input.by_ref().take(size.unwrap_or(u64::MAX));
    let is_packed = match look(limited).map_err(failed)? {
        Content::Plain(mut plain) => {
            ingest.log(&name, &mut plain);
            false
        }
        Content::Gzip(packed) => {
            ingest.log(&name, &mut flate2::read::MultiGzDecoder::new(packed));
            true
        }
        Content::Zstd(packed) => {
            let mut unpacked = zstd::Decoder::new(packed).map_err(failed)?;
            ingest.log(&name, &mut unpacked);
            true
        }
        Content::Saved(mut saved) => {
            let mut bytes = Vec::new();
            saved.read_to_end(&mut bytes).map_err(failed)?;
            let loaded = saved::load(&bytes);
            return loaded.map(Some).map_err(|error| SourceError::Load { path: path.to_owned(), error });
        }
    };
    ingest.last_file_is(size, is_packed);
    if size.is_some_and(|size| input.size_now().is_some_and(|now| now > size)) {
        ingest.note(Problem::Grew);
    }
    Ok(None)
}

/// Tells how large an input is by now.
trait Grows {
    fn size_now(&self) -> Option<u64>;
}

impl Grows for File {
    fn size_now(&self) -> Option<u64> {
        self.metadata().ok().map(|metadata| metadata.len())
    }
}

impl Grows for io::Stdin {
    fn size_now(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests;
