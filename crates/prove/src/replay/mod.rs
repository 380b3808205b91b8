//! Requests from an access log: the mix that a site really gets, in its order, at the rate that a load states.
//!
//! Query strings are sent and nowhere shown, since they carry session identifiers, addresses and tokens.

mod line;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Serialize;

use crate::load::{LoadError, Request};
use line::{Line, read_line};

/// The most requests that are taken of a log; a load starts again with the first after the last.
pub const MOST_REQUESTS: usize = 500_000;
/// The most bytes of a line that are looked at. Nginx takes 8 KiB of a request line unless told otherwise.
const MOST_LINE_BYTES: u64 = 64 * 1024;

/// What a log held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// GET and HEAD requests, in the order of the log.
    pub requests: Vec<Request>,
    /// What was left out.
    pub skipped: Skipped,
}

/// Lines that were left out, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Requests that may change something: POST, PUT, DELETE, …
    pub other_methods: u64,
    /// Lines that are not whole, or not in the combined or common format.
    pub torn: u64,
    /// Requests whose target is not UTF-8.
    pub not_utf8: u64,
    /// Requests for another site, with a whole address as their target, as proxies are sent them.
    pub absolute_form: u64,
    /// Requests whose target no HTTP client would send.
    pub not_an_address: u64,
    /// Requests after the first [`MOST_REQUESTS`].
    pub beyond_the_most: u64,
}

impl Skipped {
    /// What was left out, each with its number; empty where nothing was.
    pub fn counts(&self) -> Vec<(u64, &'static str)> {
        let all = [
            (self.other_methods, "of other methods than GET and HEAD"),
            (self.torn, "torn or in another format"),
            (self.not_utf8, "not UTF-8"),
            (self.absolute_form, "for another site"),
            (self.not_an_address, "not an address"),
            (self.beyond_the_most, "beyond the first 500000"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0).collect()
    }
}

/// Reads a log in the combined format of Nginx and Apache, plain or compressed with gzip, for the site `site`
/// (`https://shop.example`). Each request gets the header fields `headers`.
pub fn read(path: &Path, site: &str, headers: &[(String, String)]) -> Result<Replay, LoadError> {
    let failed = |error: std::io::Error| LoadError {
        attempted: format!("read the access log {}", path.display()),
        cause: error.to_string(),
        help: "name a file that this user may read".into(),
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let is_gzip = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    let replay = if is_gzip {
        requests(BufReader::new(MultiGzDecoder::new(file)), site, headers)
    } else {
        requests(file, site, headers)
    };
    replay.map_err(failed)
}

/// Takes the requests out of the lines of a log.
pub fn requests(mut log: impl BufRead, site: &str, headers: &[(String, String)]) -> std::io::Result<Replay> {
    let mut replay = Replay::default();
    let mut bytes = Vec::new();
    while next_line(&mut log, &mut bytes)? {
        let Replay { requests, skipped } = &mut replay;
        match read_line(&bytes) {
            Line::Empty => {}
            Line::Torn => skipped.torn += 1,
            Line::OtherMethod => skipped.other_methods += 1,
            Line::AbsoluteForm => skipped.absolute_form += 1,
            Line::NotUtf8 => skipped.not_utf8 += 1,
            Line::Request { .. } if requests.len() == MOST_REQUESTS => skipped.beyond_the_most += 1,
            Line::Request { method, target } => {
                let url = format!("{}{target}", site.trim_end_matches('/'));
                if hyper::Uri::try_from(&url).is_ok() {
                    let method = method.to_owned();
                    requests.push(Request { method, url, headers: headers.to_vec(), body: Vec::new() });
                } else {
                    skipped.not_an_address += 1;
                }
            }
        }
    }
    Ok(replay)
}

/// Reads a line without its end; of one that is too long, the rest is passed over. False at the end of the log.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let read = log.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read as u64 == MOST_LINE_BYTES {
        log.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

#[cfg(test)]
mod tests;
