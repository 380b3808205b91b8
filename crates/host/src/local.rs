//! Files that the user named on the command line: bundles to read and to write.

use std::io::{Read, Write};
use std::path::Path;

use crate::HostError;

/// The most that is read of a bundle.
const BUNDLE_LIMIT_BYTES: u64 = 256 << 20;

/// Reads a regular file that the user named.
///
/// # Errors
/// When it is no regular file, cannot be read, or is larger than 256 MiB.
pub fn read_local(path: &Path) -> Result<Vec<u8>, HostError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| HostError::from_io(&shown, &error);
    let status = std::fs::metadata(path).map_err(failed)?;
    if !status.is_file() {
        return Err(HostError::Unsupported { path: shown, reason: "it is no regular file".to_owned() });
    }
    if status.len() > BUNDLE_LIMIT_BYTES {
        return Err(HostError::Unsupported {
            path: shown,
            reason: "it is larger than any bundle".to_owned(),
        });
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(BUNDLE_LIMIT_BYTES).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(bytes)
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
