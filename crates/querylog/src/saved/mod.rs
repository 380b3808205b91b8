//! Digests as files: made where the logs lie, combined anywhere, exactly.
//!
//! A file is a line that says what it is, an MD5 sum, and numbers of variable length, packed by zstd. Statements are left out
//! unless asked for, since a statement holds what visitors typed: a sample is its fingerprint, without what literals that kept.

mod decode;
mod encode;

use crate::digest::Digest;

/// What a saved digest begins with; the number is the version of its format.
const MAGIC: &[u8] = b"narrows query digest 3\n";
/// What saved digests of all versions begin with.
const KIND: &[u8] = b"narrows query digest ";
/// A digest is not larger than this when it is unpacked: a hostile file must not exhaust memory.
const MOST_BYTES: usize = 1 << 30;

/// Whether samples are saved with their literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Samples {
    /// A sample is its fingerprint.
    #[default]
    Redacted,
    /// As they stand in the log.
    Whole,
}

/// Why a file is no digest that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is something else.
    #[error("it is no saved digest")]
    Foreign,
    /// It was saved by a newer version.
    #[error("it has a format that this version does not read ({0}); use the version that saved it")]
    Version(String),
    /// Its sum is wrong.
    #[error("it is damaged or cut short; digest the logs again")]
    Damaged,
}

/// Whether a file says that it is a saved digest, by its first bytes.
#[must_use]
pub fn is_saved(start: &[u8]) -> bool {
    start.starts_with(KIND)
}

/// The bytes of a file with a digest.
///
/// # Errors
/// Where packing fails, which only happens without memory.
pub fn save(digest: &Digest, samples: Samples) -> std::io::Result<Vec<u8>> {
    use md5::{Digest as _, Md5};
    let packed = zstd::encode_all(&encode::digest(digest, samples)[..], 3)?;
    Ok([MAGIC, &Md5::digest(&packed)[..], &packed].concat())
}

/// The digest that a file holds.
///
/// # Errors
/// Where it is none, or not whole.
pub fn load(file: &[u8]) -> Result<Digest, LoadError> {
    use md5::{Digest as _, Md5};
    use std::io::Read;
    let Some(rest) = file.strip_prefix(MAGIC) else {
        let version = file.strip_prefix(KIND).ok_or(LoadError::Foreign)?;
        let version = version.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let version = version.get(..version.len().min(20)).unwrap_or_default();
        return Err(LoadError::Version(String::from_utf8_lossy(version).into_owned()));
    };
    let (sum, packed) = rest.split_first_chunk::<16>().ok_or(LoadError::Damaged)?;
    if Md5::digest(packed)[..] != sum[..] {
        return Err(LoadError::Damaged);
    }
    let unpacking = zstd::Decoder::new(packed).map_err(|_| LoadError::Damaged)?;
    let mut bytes = Vec::new();
    unpacking.take(MOST_BYTES as u64).read_to_end(&mut bytes).map_err(|_| LoadError::Damaged)?;
    decode::digest(&bytes).ok_or(LoadError::Damaged)
}

#[cfg(test)]
mod tests;
