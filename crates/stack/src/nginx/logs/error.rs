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
    let (mut rest, mut first) = (whole, None);
    while let Some(end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        // What a program wrote over several lines goes on without a time.
        let Some(time) = date_and_time(line).filter(|time| *time >= last - RECENT_S) else { continue };
        first = first.or(Some(time));
        match kind(line) {
            ErrorKind::Other => log.others += 1,
            kind => {
                let key = (kind, upstream(line));
                let known = counts.len() < MOST_KINDS || counts.contains_key(&key);
                *counts.entry(if known { key } else { (kind, None) }).or_default() += 1;
            }
        }
    }
    let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let counted = counts.into_iter().map(|((kind, upstream), count)| ErrorCount {
        kind,
        upstream: upstream.map(shown),
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

/// What a line means.
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
    const TEXTS: [(&str, ErrorKind); 5] = [
        ("worker_connections are not enough", ErrorKind::NoConnections),
        ("no live upstreams", ErrorKind::NoLiveUpstream),
        ("upstream sent too big header", ErrorKind::HeaderTooBig),
        ("upstream prematurely closed", ErrorKind::ClosedEarly),
        ("could not allocate node in cache keys zone", ErrorKind::CacheZoneFull),
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

/// The upstream that a line names, without path and query: `fastcgi://unix:/run/php.sock:`, `http://127.0.0.1:8080`.
fn upstream(line: &[u8]) -> Option<&[u8]> {
    let from = find(line, b", upstream: \"")? + 13;
    let named = line.get(from..)?;
    let named = named.get(..memchr(b'"', named)?.min(UPSTREAM_LIMIT))?;
    let address_at = find(named, b"://").map_or(0, |at| at + 3);
    let address = named.get(address_at..)?;
    let length = match address.strip_prefix(b"unix:") {
        Some(path) => memchr(b':', path).map_or(address.len(), |end| 5 + end + 1),
        None => memchr::memchr2(b'/', b'?', address).unwrap_or(address.len()),
    };
    named.get(..address_at + length)
}
