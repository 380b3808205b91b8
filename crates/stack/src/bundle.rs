//! Bundles: evidence in a file, to be explained later or elsewhere.
//!
//! A bundle is a gzip stream of two JSON lines: a header `{"schema":"narrows.bundle/1","written_by":…}` and the
//! evidence. A reader accepts any bundle of the same major version and ignores fields it does not know.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::Evidence;

/// The schema that is written.
pub const SCHEMA: &str = "narrows.bundle/1";
/// The most a bundle may unpack to; a day of readings once a second is below it.
const UNPACKED_LIMIT_BYTES: u64 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: String,
    written_by: String,
}

/// Why a bundle could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is not a whole gzip stream.
    #[error("unpacking stopped after {unpacked} bytes: {reason}; was it copied whole?")]
    Torn {
        /// Bytes unpacked before it stopped.
        unpacked: usize,
        /// What the decompressor said.
        reason: String,
    },
    /// It unpacks to more than a bundle can hold.
    #[error("it unpacks to more than 1 GiB, which no bundle of narrows does")]
    TooLarge,
    /// The first line is no header.
    #[error("line 1 is no bundle header: {reason}")]
    NoHeader {
        /// What was wrong with it.
        reason: String,
    },
    /// Another program, or a later major version, wrote it.
    #[error("its schema is “{found}”; this narrows reads {SCHEMA}: take a newer narrows")]
    OtherSchema {
        /// The schema it names.
        found: String,
    },
    /// The evidence is damaged.
    #[error("line {line}, byte {byte} of the line: {reason}")]
    Malformed {
        /// The line of the unpacked bundle.
        line: usize,
        /// The byte within that line, from 1.
        byte: usize,
        /// What was wrong.
        reason: String,
    },
    /// The evidence could not be packed.
    #[error("the evidence could not be packed: {reason}")]
    Unpackable {
        /// What was wrong.
        reason: String,
    },
}

/// Packs evidence into a bundle.
///
/// # Errors
/// When the evidence cannot be written as JSON, which is a bug.
pub fn write(evidence: &Evidence) -> Result<Vec<u8>, BundleError> {
    let unpackable = |reason: String| BundleError::Unpackable { reason };
    let written_by = format!("narrows {}", env!("CARGO_PKG_VERSION"));
    let header = Header { schema: SCHEMA.to_owned(), written_by };
    let mut text = serde_json::to_vec(&header).map_err(|error| unpackable(error.to_string()))?;
    text.push(b'\n');
    serde_json::to_writer(&mut text, evidence).map_err(|error| unpackable(error.to_string()))?;
    text.push(b'\n');
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&text).map_err(|error| unpackable(error.to_string()))?;
    packer.finish().map_err(|error| unpackable(error.to_string()))
}

/// Unpacks a bundle.
///
/// # Errors
/// When it is torn, damaged, or of another schema; the error names line and byte.
pub fn read(bytes: &[u8]) -> Result<Evidence, BundleError> {
    let mut text = Vec::new();
    let mut unpacker = MultiGzDecoder::new(bytes).take(UNPACKED_LIMIT_BYTES + 1);
    if let Err(error) = unpacker.read_to_end(&mut text) {
        return Err(BundleError::Torn { unpacked: text.len(), reason: error.to_string() });
    }
    if text.len() as u64 > UNPACKED_LIMIT_BYTES {
        return Err(BundleError::TooLarge);
    }
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let header: Header =
        serde_json::from_slice(first).map_err(|error| BundleError::NoHeader { reason: error.to_string() })?;
    if header.schema != SCHEMA {
        return Err(BundleError::OtherSchema { found: header.schema });
    }
    serde_json::from_slice(rest).map_err(|error| BundleError::Malformed {
        line: error.line(),
        byte: error.column(),
        reason: error.to_string(),
    })
}
