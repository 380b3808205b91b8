//! Counts the lines of an error log by what they mean.
//!
//! A line is `2026/11/21 21:20:12 [error] 7#7: *5 MESSAGE, client: …, server: …, request: "…", upstream: "…", host: "…"`
//! (`ngx_log_error_core`, `ngx_http_log_error_handler`). What stands after `, client: ` a visitor can choose, so that a
//! kind is looked for before it only.

use std::collections::BTreeMap;

use memchr::memmem::find;
use memchr::{memchr, memrchr};

use super::RECENT_S;
use super::time::date_and_time;
use crate::nginx::{ErrorCount, ErrorKind, ErrorLog};

/// Kinds and upstreams that are told apart; lines of further upstreams count without one.
const MOST_KINDS: usize = 128;
/// The longest name of an upstream.
const UPSTREAM_LIMIT: usize = 200;

/// What the end of an error log says: the lines of the last minutes before its last line.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
pub fn error_log(path: &str, bytes: &[u8]) -> ErrorLog {
    let whole = memrchr(b'\n', bytes).and_then(|end| bytes.get(..=end)).unwrap_or_default();
    let mut log = ErrorLog { path: path.to_owned(), ..ErrorLog::default() };
    let Some(last) = whole.rsplit(|byte| *byte == b'\n').find_map(date_and_time) else { return log };
    let mut counts: BTreeMap<(ErrorKind, Option<&[u8]>), u64> = BTreeMap::new();
    let mut first = None;
    for entry in Entries(whole) {
        let Some(time) = date_and_time(entry).filter(|time| *time >= last - RECENT_S) else { continue };
        first = first.or(Some(time));
        match kind(entry) {
            ErrorKind::Other => log.others += 1,
            kind => {
                let key = (kind, upstream(entry));
                let known = counts.len() < MOST_KINDS || counts.contains_key(&key);
                *counts.entry(if known { key } else { (kind, None) }).or_default() += 1;
            }
        }
    }
    let counted = counts.into_iter().map(|((kind, upstream), count)| ErrorCount {
        kind,
        upstream: upstream.map(shown_upstream),
        count,
    });
    log.kinds = counted.collect();
    log.kinds.sort_by(|a, b| {
        b.count.cmp(&a.count).then_with(|| (a.kind, &a.upstream).cmp(&(b.kind, &b.upstream)))
    });
    log.span_s = first.map_or(0.0, |first| (last - first).max(0) as f64);
    log.last_unix_s = Some(last as f64);
    log
}

/// Whole lines, each with those after it that have no time: what a program wrote over several lines.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut end = memchr(b'\n', self.0)?;
        let rest_at = |end: usize| self.0.get(end + 1..).unwrap_or_default();
        while !rest_at(end).is_empty() && date_and_time(rest_at(end)).is_none() {
            end += 1 + memchr(b'\n', rest_at(end))?;
        }
        let (entry, rest) = (self.0.get(..end)?, rest_at(end));
        self.0 = rest;
        Some(entry)
    }
}

/// What an entry means.
fn kind(line: &[u8]) -> ErrorKind {
    let message = find(line, b", client: ").and_then(|end| line.get(..end)).unwrap_or(line);
    let has = |text: &str| find(message, text.as_bytes()).is_some();
    if let Some(at) = find(message, b"FastCGI sent in stderr: \"") {
        let said = message.get(at + 25..).unwrap_or_default();
        let starts = |text: &str| said.starts_with(text.as_bytes());
        return match () {
            () if starts("Primary script unknown") => ErrorKind::ScriptUnknown,
            () if starts("Unable to open primary script") => ErrorKind::ScriptUnknown,
            () if starts("PHP message: ") => ErrorKind::PhpMessage,
            () => ErrorKind::Other,
        };
    }
    if has("to a temporary file") {
        return match () {
            () if has("an upstream response is buffered") => ErrorKind::ResponseToFile,
            () if has("a client request body is buffered") => ErrorKind::BodyToFile,
            () => ErrorKind::Other,
        };
    }
    const TEXTS: [(&str, ErrorKind); 6] = [
        ("worker_connections are not enough", ErrorKind::NoConnections),
        ("no live upstreams", ErrorKind::NoLiveUpstream),
        ("upstream sent too big header", ErrorKind::HeaderTooBig),
        ("upstream prematurely closed", ErrorKind::ClosedEarly),
        ("could not allocate node in cache keys zone", ErrorKind::CacheZoneFull),
        // A file takes less than it was given where its disk is full.
        (" has written only ", ErrorKind::NoSpace),
    ];
    if let Some((_, kind)) = TEXTS.iter().find(|(text, _)| has(text)) {
        return *kind;
    }
    by_number(message, has)
}

/// By the number of the system's error: `failed (11: …)`, `timed out (110: …)`.
fn by_number(message: &[u8], has: impl Fn(&str) -> bool) -> ErrorKind {
    let number = [&b"failed ("[..], b"timed out ("].iter().find_map(|before| {
        let digits = message.get(find(message, before)? + before.len()..)?;
        digits.get(..digits.iter().position(|byte| *byte == b':')?)
    });
    let (connecting, upstream) = (has("while connecting to upstream"), has("upstream"));
    match number.unwrap_or_default() {
        b"24" => ErrorKind::NoDescriptors,
        b"28" => ErrorKind::NoSpace,
        b"11" if connecting => ErrorKind::QueueFull,
        b"111" if connecting => ErrorKind::Refused,
        b"2" if connecting => ErrorKind::NoSocket,
        b"13" if connecting => ErrorKind::NotAllowed,
        b"99" if connecting => ErrorKind::NoPort,
        b"110" if connecting => ErrorKind::ConnectTimedOut,
        b"110" if upstream => ErrorKind::AnswerTimedOut,
        b"104" | b"32" if upstream => ErrorKind::ClosedEarly,
        _ => ErrorKind::Other,
    }
}

/// The upstream that an entry names, without path and query: `fastcgi://unix:/run/php.sock`, `http://127.0.0.1:8080`.
fn upstream(line: &[u8]) -> Option<&[u8]> {
    let from = find(line, b", upstream: \"")? + 13;
    let named = line.get(from..)?;
    let named = named.get(..memchr(b'"', named)?.min(UPSTREAM_LIMIT))?;
    let address_at = find(named, b"://").map_or(0, |at| at + 3);
    let address = named.get(address_at..)?;
    let length = match address.strip_prefix(b"unix:") {
        Some(path) => memchr(b':', path).map_or(address.len(), |end| 5 + end),
        None => memchr::memchr2(b'/', b'?', address).unwrap_or(address.len()),
    };
    named.get(..address_at + length)
}

/// An upstream as Nginx mostly names it: with a colon after the path of a socket, which a timeout leaves out.
fn shown_upstream(name: &[u8]) -> String {
    let colon = if find(name, b"://unix:").is_some() { ":" } else { "" };
    format!("{}{colon}", String::from_utf8_lossy(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nginx_wrote_is_known() {
        let log = error_log("/log", include_bytes!("fixtures/nginx-1.22-errors.log"));
        let found: BTreeMap<ErrorKind, u64> = log.kinds.iter().fold(BTreeMap::new(), |mut sums, one| {
            *sums.entry(one.kind).or_default() += one.count;
            sums
        });
        let expected = [
            (ErrorKind::QueueFull, 2),
            (ErrorKind::Refused, 4),
            (ErrorKind::NoSocket, 1),
            (ErrorKind::NotAllowed, 1),
            (ErrorKind::NoPort, 1),
            (ErrorKind::ConnectTimedOut, 1),
            (ErrorKind::AnswerTimedOut, 1),
            (ErrorKind::ClosedEarly, 4),
            (ErrorKind::NoLiveUpstream, 1),
            (ErrorKind::HeaderTooBig, 1),
            (ErrorKind::ResponseToFile, 2),
            (ErrorKind::BodyToFile, 1),
            (ErrorKind::NoConnections, 2),
            (ErrorKind::NoDescriptors, 2),
            (ErrorKind::ScriptUnknown, 1),
            (ErrorKind::PhpMessage, 1),
            (ErrorKind::CacheZoneFull, 1),
            (ErrorKind::NoSpace, 2),
        ];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(log.others, 2, "an upstream that was disabled, a cache entry that is locked");
        let of = |kind: ErrorKind| {
            log.kinds.iter().find(|one| one.kind == kind).and_then(|one| one.upstream.as_deref())
        };
        let pool = Some("fastcgi://unix:/srv/lab/big.sock:");
        assert_eq!([ErrorKind::PhpMessage, ErrorKind::AnswerTimedOut].map(of), [pool; 2]);
        assert_eq!(of(ErrorKind::NoLiveUpstream), Some("http://dead"));
    }
}
