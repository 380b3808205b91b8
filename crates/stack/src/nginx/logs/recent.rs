//! What the logs of all Nginx say together: what symptoms and causes ask them.

use std::collections::BTreeMap;

use model::Missing;

use super::RECENT_S;
use super::period::{self, Period};
use crate::Evidence;
use crate::nginx::{AccessLog, ErrorKind, ErrorLog, Instance};
use crate::services::facts;

/// How often something was, of how many requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share {
    /// How often.
    pub count: u64,
    /// Of so many requests.
    pub of: u64,
}

impl Share {
    /// The share, from 0 to 1; 0 without requests.
    pub fn ratio(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.count as f64 / self.of as f64 }
    }
}

/// Every Nginx of the host.
fn instances(evidence: &Evidence) -> Result<&[Instance], Missing> {
    Ok(&facts(&evidence.services.nginx)?.instances)
}

/// When the window ended, in seconds since 1970.
fn now(evidence: &Evidence) -> Option<f64> {
    evidence.readings.last()?.clock.unix_s
}

/// Whether a log was written to within the last minutes before the window's end; where that is not known, it was.
fn is_recent(evidence: &Evidence, last_unix_s: Option<f64>, slack_s: f64) -> bool {
    let age = now(evidence).zip(last_unix_s).map(|(now, last)| now - last);
    age.is_none_or(|age| age.abs() <= RECENT_S as f64 + slack_s)
}

/// The access logs that hold requests of the last minutes. Empty where nothing was asked for, or without any Nginx.
///
/// # Errors
/// When Nginx was not read, or none of its logs.
pub fn access_logs(evidence: &Evidence) -> Result<Vec<&AccessLog>, Missing> {
    let all: Vec<_> = instances(evidence)?.iter().flat_map(|instance| &instance.access_logs).collect();
    let unread = all.iter().find_map(|log| log.unread.as_ref());
    let read = all.iter().filter(|log| log.unread.is_none());
    let recent: Vec<_> = read
        .clone()
        .filter(|log| log.requests > 0 && is_recent(evidence, log.last_unix_s, 0.0))
        .copied()
        .collect();
    match unread {
        Some(unread) if read.count() == 0 => {
            Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone()))
        }
        _ if all.is_empty() && !instances(evidence)?.is_empty() => Err(Missing::new(
            "an access log of Nginx",
            "write one: `access_log /var/log/nginx/access.log FORMAT;`",
        )),
        _ => Ok(recent),
    }
}

/// The error logs that were written to within the last minutes.
///
/// # Errors
/// When Nginx was not read, or none of its logs.
pub fn error_logs(evidence: &Evidence) -> Result<Vec<&ErrorLog>, Missing> {
    let all: Vec<_> = instances(evidence)?.iter().flat_map(|instance| &instance.error_logs).collect();
    let unread = all.iter().find_map(|log| log.unread.as_ref());
    let read = all.iter().filter(|log| log.unread.is_none());
    match unread {
        Some(unread) if read.clone().count() == 0 => {
            Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone()))
        }
        _ => Ok(read.filter(|log| error_log_is_recent(evidence, log)).copied().collect()),
    }
}

/// Error logs carry local time without a zone. Where no access log says the zone, any on Earth is allowed for.
fn error_log_is_recent(evidence: &Evidence, log: &ErrorLog) -> bool {
    const WIDEST_ZONE_S: f64 = 14.0 * 3600.0;
    match log.zone_s {
        Some(zone) => is_recent(evidence, log.last_unix_s.map(|last| last - f64::from(zone)), 0.0),
        None => is_recent(evidence, log.last_unix_s, WIDEST_ZONE_S),
    }
}

/// How often an error was logged within the last minutes, by upstream; an error that names none is below the empty name.
///
/// # Errors
/// As [`error_logs`].
pub fn errors(evidence: &Evidence, kind: ErrorKind) -> Result<BTreeMap<String, u64>, Missing> {
    let mut by_upstream = BTreeMap::new();
    for log in error_logs(evidence)? {
        for one in log.kinds.iter().filter(|one| one.kind == kind) {
            *by_upstream.entry(one.upstream.clone().unwrap_or_default()).or_default() += one.count;
        }
    }
    Ok(by_upstream)
}

/// How many of the requests of the last minutes were answered so.
///
/// # Errors
/// As [`access_logs`].
pub fn status_share(evidence: &Evidence, status: u16) -> Result<Share, Missing> {
    let mut share = Share::default();
    for log in access_logs(evidence)? {
        share.of += log.requests;
        share.count += log.status.get(&status).copied().unwrap_or(0);
    }
    Ok(share)
}

/// The stall that recurs, with the log that shows it; the one of the log with most stalls where several do.
///
/// # Errors
/// When no access log says how long requests took.
pub fn period(evidence: &Evidence) -> Result<Option<(&AccessLog, Period)>, Missing> {
    let logs = access_logs(evidence)?;
    let timed = |log: &&AccessLog| log.seconds.iter().any(|second| second.longest_s.is_some());
    if !logs.is_empty() && !logs.iter().any(timed) {
        return Err(no_times());
    }
    let found = logs.into_iter().filter_map(|log| Some((log, period::find(&log.seconds)?)));
    Ok(found.max_by_key(|(log, period)| (period.cycles, log.requests)))
}

/// What is missing where no log says how long requests took.
pub fn no_times() -> Missing {
    Missing::new(
        "the time of each request in an access log",
        "add $request_time, $upstream_header_time and $upstream_response_time to the log_format of Nginx",
    )
}
