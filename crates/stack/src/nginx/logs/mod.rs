//! The logs of Nginx: what their ends say of the last minutes.

mod access;
mod error;
mod format;
mod numbers;
mod paths;
pub mod period;
mod places;
mod recent;
#[cfg(test)]
mod tests;
mod time;
mod timers;

pub use access::{AccessTally, last_time};
pub use error::error_log;
pub use format::Format;
pub use period::Period;
pub use recent::{Share, access_logs, error_logs, errors, no_times, period, status_share};
pub use timers::{Timer, TimerKind, matching_timer, matching_timers, timers};

use host::{Host, HostError};
use model::Unread;

use super::{AccessLog, Configuration, ErrorLog};
use places::Place;

/// How much of the end of a log is read. At 200 bytes a line it is 80,000 requests.
const END_BYTES: usize = 16 << 20;
/// How much is read of one that did not answer in time; what was asked for before may be in memory by then.
const SHORT_END_BYTES: usize = 1 << 20;
/// How much is read of the log before one that was exchanged within the last minutes.
const BEFORE_BYTES: usize = 4 << 20;
/// The most logs of a kind that are read.
const MOST_LOGS: usize = 8;
/// Lines that were written so long before the last line count, in seconds.
pub(crate) const RECENT_S: i64 = 900;
/// Seconds that count: those of the last minutes, and one minute for lines of workers that write late.
const RECENT_SLOTS: usize = RECENT_S as usize + 61;

/// What the access logs and the error logs of a configuration say of the last minutes. One that could not be read is
/// there with the reason.
pub fn read(host: &dyn Host, configuration: &Configuration) -> (Vec<AccessLog>, Vec<ErrorLog>) {
    let access: Vec<_> =
        places::access(configuration).iter().take(MOST_LOGS).map(|place| access_log(host, place)).collect();
    let zone_s = access.iter().find_map(|log| log.zone_s);
    let error = places::error(configuration);
    let error = error.iter().take(MOST_LOGS).map(|place| error_log_of(host, place, zone_s)).collect();
    (access, error)
}

fn access_log(host: &dyn Host, place: &Place) -> AccessLog {
    let unread = |path: &str, unread: Unread| {
        let names: Vec<_> = place.formats.iter().map(|format| format.name.as_str()).collect();
        let format = names.join(", ");
        AccessLog { path: path.to_owned(), format, unread: Some(unread), ..AccessLog::default() }
    };
    let shown = place.paths.first().map(String::as_str).unwrap_or_default();
    if let Some((why, how)) = place.refused {
        return unread(shown, Unread::new(format!("the access log {shown} cannot be counted: {why}"), how));
    }
    let (path, bytes, torn) = match end_of(host, &place.paths) {
        Ok(read) => read,
        Err(error) => return unread(shown, could_not(&error)),
    };
    let bytes = whole_lines(&bytes, torn);
    // A log that was exchanged a moment ago (logrotate) says little; the one before it goes on until then.
    let before = if torn || access::reaches_back(&place.formats, bytes) {
        vec![]
    } else {
        host.read_end(&format!("{path}.1"), BEFORE_BYTES).unwrap_or_default()
    };
    let before = whole_lines(&before, before.len() >= BEFORE_BYTES);
    let last = last_time(&place.formats, bytes).or_else(|| last_time(&place.formats, before));
    let mut tally = AccessTally::new(&place.formats, last.unwrap_or_default());
    tally.add(before);
    tally.add(bytes);
    tally.finish(path)
}

fn error_log_of(host: &dyn Host, place: &Place, zone_s: Option<i32>) -> ErrorLog {
    let shown = place.paths.first().map(String::as_str).unwrap_or_default();
    let level = place.level.clone();
    let log = match end_of(host, &place.paths) {
        Ok((path, bytes, torn)) => error_log(path, whole_lines(&bytes, torn)),
        Err(error) => {
            ErrorLog { path: shown.to_owned(), unread: Some(could_not(&error)), ..ErrorLog::default() }
        }
    };
    ErrorLog { level, zone_s, ..log }
}

/// The end of the first of these files that can be read, and whether something lies before it.
fn end_of<'p>(host: &dyn Host, paths: &'p [String]) -> Result<(&'p str, Vec<u8>, bool), HostError> {
    let mut failed = HostError::NotFound { path: String::new() };
    for path in paths {
        let read = |most: usize| host.read_end(path, most).map(|bytes| (bytes.len() >= most, bytes));
        let end = match read(END_BYTES) {
            Err(HostError::TimedOut { .. }) => read(SHORT_END_BYTES),
            end => end,
        };
        match end {
            Ok((torn, bytes)) => return Ok((path, bytes, torn)),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Without the first line where it may be cut off.
fn whole_lines(bytes: &[u8], torn: bool) -> &[u8] {
    match memchr::memchr(b'\n', bytes) {
        Some(first) if torn => bytes.get(first + 1..).unwrap_or_default(),
        None if torn => b"",
        _ => bytes,
    }
}

fn could_not(error: &HostError) -> Unread {
    let how = match error {
        HostError::Permission { .. } => "run narrows as root",
        HostError::NotFound { .. } => "the log is written with the first request",
        _ => "write the log into a file on a disk of this host",
    };
    Unread::new(format!("a log of Nginx could not be read: {error}"), how)
}
