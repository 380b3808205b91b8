//! Files that the user named on the command line: bundles to read and to write.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::HostError;

/// The most that is read of a bundle.
const BUNDLE_LIMIT_BYTES: u64 = 256 << 20;

/// A file that the user named.
#[derive(Debug)]
pub struct LocalFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether every user of the machine may write to it.
    pub writable_by_all: bool,
}

/// Reads a regular file that the user named.
///
/// # Errors
/// When it is no regular file, cannot be read, or is larger than 256 MiB.
pub fn read_local(path: &Path) -> Result<Vec<u8>, HostError> {
    read_local_file(path).map(|file| file.bytes)
}

/// Reads a regular file that the user named, and says who may write to it.
///
/// # Errors
/// As [`read_local`].
pub fn read_local_file(path: &Path) -> Result<LocalFile, HostError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| HostError::from_io(&shown, &error);
    // A named pipe would hold open(2) up, so the file is looked at before; the open one is what counts.
    let status = std::fs::metadata(path).map_err(failed)?;
    if !status.is_file() {
        return Err(HostError::Unsupported { path: shown, reason: "it is no regular file".to_owned() });
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let status = file.metadata().map_err(failed)?;
    if status.len() > BUNDLE_LIMIT_BYTES {
        return Err(HostError::Unsupported {
            path: shown,
            reason: "it is larger than any bundle".to_owned(),
        });
    }
    let mut bytes = Vec::new();
    file.take(BUNDLE_LIMIT_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(LocalFile { bytes, writable_by_all: status.mode() & 0o002 != 0 })
}

/// Writes a file that the user named, whole or not at all: to a file beside it, which then takes its place.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_local(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let shown = path.display().to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        std::fs::remove_file(&beside).ok();
        HostError::from_io(&shown, &error)
    })
}
