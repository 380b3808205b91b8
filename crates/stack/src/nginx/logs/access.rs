//! Counts the lines of an access log: one pass over its bytes, nothing allocated for a line.

use std::collections::BTreeMap;

use memchr::{memchr, memrchr};

use super::format::{Field, Format, Values};
use super::numbers::{Spread, bytes_of_all, milliseconds_of_all, whole};
use super::paths::Paths;
use super::time::Clock;
use super::{RECENT_S, RECENT_SLOTS};
use crate::nginx::{AccessLog, SecondUse};

/// Lines at the end of a log among which the latest time is looked for: workers that buffer write in turn.
const LAST_LINES: usize = 200;

/// Counts lines. Only those of the last minutes before a given time count.
#[derive(Debug)]
pub struct AccessTally<'f> {
    formats: &'f [Format],
    clock: Clock,
    /// Lines before this second do not count.
    from_s: i64,
    requests: u64,
    unparsed: u64,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    status: Vec<u64>,
    cache: BTreeMap<Box<[u8]>, u64>,
    spreads: Spreads,
    paths: Paths,
    seconds: Vec<Second>,
}

#[derive(Debug, Default)]
struct Spreads {
    request_ms: Spread,
    response_ms: Spread,
    header_ms: Spread,
    connect_ms: Spread,
    body_bytes: Spread,
    upstream_body_bytes: Spread,
    upstream_bytes: Spread,
}

#[derive(Debug, Default, Clone, Copy)]
struct Second {
    requests: u32,
    timed: u32,
    longest_ms: u64,
    sum_ms: u64,
    bad_gateway: u32,
    gateway_timeout: u32,
    asked_upstream: u32,
}

/// The latest time among the last lines, in seconds since 1970.
pub fn last_time(formats: &[Format], bytes: &[u8]) -> Option<i64> {
    let mut clock = Clock::default();
    let mut rest = bytes.get(..memrchr(b'\n', bytes)?)?;
    let mut latest = None;
    for _ in 0..LAST_LINES {
        let start = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        let line = rest.get(start..).unwrap_or_default();
        let time = formats.iter().find_map(|format| {
            let mut values = Values::default();
            if format.fit(line, &mut values) { clock.unix_ms(format, &values) } else { None }
        });
        latest = latest.max(time);
        let Some(end) = start.checked_sub(1) else { break };
        rest = rest.get(..end).unwrap_or_default();
    }
    latest.map(|ms: i64| ms.div_euclid(1000))
}

/// Whether the log's first lines are older than all that count.
pub(super) fn reaches_back(formats: &[Format], bytes: &[u8]) -> bool {
    let first_lines = memchr::memchr_iter(b'\n', bytes).take(LAST_LINES).last();
    let first = first_lines.and_then(|end| last_time(formats, bytes.get(..=end)?));
    first.zip(last_time(formats, bytes)).is_some_and(|(first, last)| last - first > RECENT_S)
}

impl<'f> AccessTally<'f> {
    /// Counts what was written in the last minutes before a time, and shortly after it.
    pub fn new(formats: &'f [Format], last_s: i64) -> Self {
        Self {
            formats,
            clock: Clock::default(),
            from_s: last_s.saturating_sub(RECENT_S),
            requests: 0,
            unparsed: 0,
            first_ms: None,
            last_ms: None,
            status: vec![0; 1000],
            cache: BTreeMap::new(),
            spreads: Spreads::default(),
            paths: Paths::default(),
            seconds: vec![Second::default(); RECENT_SLOTS],
        }
    }

    /// Counts whole lines; what follows the last line break is left.
    pub fn add(&mut self, bytes: &[u8]) {
        let formats = self.formats;
        let mut values = Values::default();
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let fitting = formats.iter().find(|format| format.fit(line, &mut values));
            let time = fitting.and_then(|format| Some((format, self.clock.unix_ms(format, &values)?)));
            match time {
                Some((format, unix_ms)) => self.count(format, &values, unix_ms),
                None if line.is_empty() => {}
                None => self.unparsed += 1,
            }
        }
    }

    fn count(&mut self, format: &Format, values: &Values<'_>, unix_ms: i64) {
        let Some(second) = slot(unix_ms, self.from_s).and_then(|slot| self.seconds.get_mut(slot)) else {
            return;
        };
        let status = whole(values.of(Field::Status)).and_then(|status| usize::try_from(status).ok());
        let status = status.filter(|_| format.has(Field::Status));
        let took = |field| if format.has(field) { milliseconds_of_all(values.of(field)) } else { None };
        let response_ms = took(Field::UpstreamResponseTime);
        let request_ms = took(Field::RequestTime);
        let cache = if format.has(Field::CacheStatus) { values.of(Field::CacheStatus) } else { b"" };
        let upstream = had_upstream(format, values);
        self.requests += 1;
        self.first_ms = Some(self.first_ms.map_or(unix_ms, |first| first.min(unix_ms)));
        self.last_ms = self.last_ms.max(Some(unix_ms));
        second.requests += 1;
        // A request that no upstream was asked for took no upstream's time.
        let ms = if format.has(Field::UpstreamResponseTime) { response_ms } else { request_ms };
        if let Some(ms) = ms {
            second.timed += 1;
            second.longest_ms = second.longest_ms.max(ms);
            second.sum_ms = second.sum_ms.saturating_add(ms);
        }
        second.bad_gateway += u32::from(status == Some(502));
        second.gateway_timeout += u32::from(status == Some(504));
        let answered_by_cache = !matches!(cache, b"" | b"-" | b"MISS" | b"EXPIRED" | b"BYPASS");
        second.asked_upstream += u32::from(upstream == Some(true) && !answered_by_cache);
        if let Some(count) = status.and_then(|status| self.status.get_mut(status)) {
            *count += 1;
        }
        if !matches!(cache, b"" | b"-") {
            self.count_cache(cache);
        }
        self.spreads.add(
            format,
            values,
            upstream,
            [request_ms, response_ms, took(Field::UpstreamHeaderTime)],
        );
        if let Some(ms) = took(Field::UpstreamConnectTime) {
            self.spreads.connect_ms.add(ms);
        }
        self.paths.add(path(format, values), ms.unwrap_or(0), status.is_some_and(|status| status >= 500));
    }

    fn count_cache(&mut self, status: &[u8]) {
        /// `MISS`, `EXPIRED`, `STALE` … are eight; a line that was damaged may say anything.
        const MOST: usize = 16;
        if let Some(count) = self.cache.get_mut(status) {
            *count += 1;
        } else if self.cache.len() < MOST && status.len() < MOST && status.is_ascii() {
            self.cache.insert(status.into(), 1);
        }
    }

    /// What was counted.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits")]
    pub fn finish(self, path: &str) -> AccessLog {
        let timed =
            |format: &Format| format.has(Field::UpstreamResponseTime) || format.has(Field::RequestTime);
        let told = self.paths.told(self.formats.iter().any(timed));
        let names: Vec<_> = self.formats.iter().map(|format| format.name.as_str()).collect();
        let status = self.status.iter().enumerate().filter(|(_, count)| **count > 0);
        let of_all = self.spreads.body_bytes.quantiles(1.0);
        let from_s = u64::try_from(self.from_s).unwrap_or(0);
        let seconds = self.seconds.iter().zip(from_s..).filter(|(second, _)| second.requests > 0);
        AccessLog {
            path: path.to_owned(),
            format: names.join(", "),
            span_s: self.first_ms.zip(self.last_ms).map_or(0.0, |(first, last)| (last - first) as f64 / 1e3),
            last_unix_s: self.last_ms.map(|ms| ms as f64 / 1e3),
            requests: self.requests,
            unparsed: self.unparsed,
            status: status.filter_map(|(code, count)| Some((u16::try_from(code).ok()?, *count))).collect(),
            times_upstreams: self.formats.iter().any(|format| {
                format.has(Field::UpstreamHeaderTime) || format.has(Field::UpstreamResponseTime)
            }),
            request_time_s: self.spreads.request_ms.quantiles(1e3),
            upstream_response_time_s: self.spreads.response_ms.quantiles(1e3),
            upstream_header_time_s: self.spreads.header_ms.quantiles(1e3),
            upstream_connect_time_s: self.spreads.connect_ms.quantiles(1e3),
            body_bytes: self.spreads.upstream_body_bytes.quantiles(1.0).or(of_all),
            upstream_bytes: self.spreads.upstream_bytes.quantiles(1.0),
            cache: self
                .cache
                .iter()
                .map(|(status, count)| (String::from_utf8_lossy(status).into_owned(), *count))
                .collect(),
            top: told.top,
            others: told.others,
            seconds: seconds.map(|(second, unix_s)| second.told(unix_s)).collect(),
            wp_cron: told.wp_cron,
            zone_s: self.clock.zone_s(),
            unread: None,
        }
    }
}

impl Spreads {
    fn add(&mut self, format: &Format, values: &Values<'_>, upstream: Option<bool>, ms: [Option<u64>; 3]) {
        for (spread, ms) in
            [&mut self.request_ms, &mut self.response_ms, &mut self.header_ms].into_iter().zip(ms)
        {
            if let Some(ms) = ms {
                spread.add(ms);
            }
        }
        let bytes = |fields: [Field; 2]| {
            let field = fields.into_iter().find(|field| format.has(*field))?;
            bytes_of_all(values.of(field))
        };
        if let Some(bytes) = bytes([Field::BodyBytes, Field::BytesSent]) {
            match upstream {
                Some(true) => self.upstream_body_bytes.add(bytes),
                Some(false) => {}
                None => self.body_bytes.add(bytes),
            }
        }
        if let Some(bytes) = bytes([Field::UpstreamResponseLength, Field::UpstreamBytesReceived]) {
            self.upstream_bytes.add(bytes);
        }
    }
}

impl Second {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "milliseconds of a request; a second's requests are shown with few digits"
    )]
    fn told(&self, unix_s: u64) -> SecondUse {
        let seconds = |ms: f64| (self.timed > 0).then_some((ms / 1e3) as f32);
        SecondUse {
            unix_s,
            requests: self.requests,
            longest_s: seconds(self.longest_ms as f64),
            mean_s: seconds(self.sum_ms as f64 / f64::from(self.timed.max(1))),
            bad_gateway: self.bad_gateway,
            gateway_timeout: self.gateway_timeout,
            asked_upstream: self.asked_upstream,
        }
    }
}

/// The place of a line's second among those that count.
fn slot(unix_ms: i64, from_s: i64) -> Option<usize> {
    usize::try_from(unix_ms.div_euclid(1000).checked_sub(from_s)?).ok()
}

/// Whether an upstream was asked for the request; `None` where the format does not say.
fn had_upstream(format: &Format, values: &Values<'_>) -> Option<bool> {
    const SAYING: [Field; 4] = [
        Field::UpstreamResponseTime,
        Field::UpstreamAddress,
        Field::UpstreamStatus,
        Field::UpstreamHeaderTime,
    ];
    let field = SAYING.into_iter().find(|field| format.has(*field))?;
    Some(!matches!(values.of(field), b"" | b"-"))
}

/// The path of a request, without its query string.
fn path<'a>(format: &Format, values: &Values<'a>) -> &'a [u8] {
    let target = if format.has(Field::RequestUri) {
        values.of(Field::RequestUri)
    } else if format.has(Field::Request) {
        let request = values.of(Field::Request);
        let after = memchr(b' ', request).and_then(|at| request.get(at + 1..)).unwrap_or_default();
        memchr(b' ', after).and_then(|end| after.get(..end)).unwrap_or(after)
    } else {
        values.of(Field::Uri)
    };
    let path = memchr(b'?', target).and_then(|end| target.get(..end)).unwrap_or(target);
    // `http://host/path`, and formats that write the host before the path.
    match path.first() {
        Some(b'/') | None => path,
        Some(_) => {
            let after = path.windows(3).position(|three| three == b"://").map_or(0, |at| at + 3);
            let host = path.get(after..).unwrap_or_default();
            memchr(b'/', host).and_then(|at| host.get(at..)).unwrap_or(b"-")
        }
    }
}
