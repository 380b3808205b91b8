//! What FPM's own log and the slow logs of its pools say of the last minutes.

use std::collections::BTreeMap;

use host::{Host, text};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::super::{Log, Master, Pool};

/// Lines older than this say nothing of now, in seconds.
const RECENT_S: i64 = 900;
/// The most that is read of the end of a log.
const END_BYTES: usize = 1 << 20;
/// Signals by which FPM itself ends a worker, SIGQUIT and SIGTERM: it has noted before that it is `terminating`.
const OWN_SIGNALS: &[u64] = &[3, 15];

/// The hour by which logs of this host are written.
pub(super) struct Clock {
    zone: TimeZone,
    /// Seconds since 1970; `None` in a tree without a clock, where the last line of a log counts.
    now: Option<i64>,
}

impl Clock {
    /// Reads the local time zone; without one it is UTC, as for libc.
    pub(super) fn read(host: &dyn Host) -> Self {
        let zone = host.read("/etc/localtime").ok();
        let zone = zone.and_then(|bytes| TimeZone::tzif("local", &bytes).ok()).unwrap_or(TimeZone::UTC);
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let now = host.clock().unix_s.map(|seconds| seconds as i64);
        Self { zone, now }
    }

    fn unix_s(&self, local: DateTime) -> Option<i64> {
        Some(self.zone.to_timestamp(local).ok()?.as_second())
    }
}

/// The end of a master's log (`error_log`); `None` where it is no file.
pub(super) fn read(host: &dyn Host, master: &Master, clock: &Clock) -> Option<Log> {
    let setting = master.global.get("error_log").map_or("log/php-fpm.log", |setting| setting.value.trim());
    let path = match setting {
        "syslog" => return None,
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/var/{path}"),
    };
    let is_file = !["/proc/", "/dev/"].iter().any(|folder| path.starts_with(folder));
    let bytes = is_file.then(|| host.read_end(&path, END_BYTES).ok()).flatten()?;
    Some(Log { path, ..parse(&bytes, clock) })
}

/// Requests that a pool wrote into its slow log within the last minutes.
pub(super) fn slow_requests(host: &dyn Host, pool: &Pool, clock: &Clock) -> Option<u64> {
    let timeout = pool.value("request_slowlog_timeout").unwrap_or_default();
    if !timeout.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return None;
    }
    let path = pool.value("slowlog")?;
    let prefix = pool.value("prefix").unwrap_or("/usr");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("{prefix}/{path}") };
    let bytes = host.read_end(&path, END_BYTES).ok()?;
    let mark = format!("[pool {}] pid ", pool.name);
    let recent = recent(&bytes, clock);
    Some(recent.iter().filter(|(_, message)| message.trim_start().starts_with(&mark)).count() as u64)
}

fn parse(bytes: &[u8], clock: &Clock) -> Log {
    let recent = recent(bytes, clock);
    let ends = recent.first().zip(recent.last());
    #[expect(clippy::cast_precision_loss, reason = "seconds of some minutes")]
    let span_s = ends.map_or(0.0, |((first, _), (last, _))| (last - first).max(0) as f64);
    let mut log = Log { span_s, ..Log::default() };
    for (_, message) in &recent {
        let Some((pool, said)) = of_a_pool(message) else { continue };
        let count = |counts: &mut BTreeMap<String, u64>| *counts.entry(pool.to_owned()).or_default() += 1;
        if said.starts_with("server reached pm.max_children") {
            count(&mut log.reached_max_children);
        } else if said.starts_with("seems busy") {
            count(&mut log.seems_busy);
        } else if said.starts_with("child ") && said.ends_with("terminating") {
            count(&mut log.terminated);
        } else if signal(said).is_some_and(|signal| !OWN_SIGNALS.contains(&signal)) {
            count(&mut log.died);
        }
    }
    log
}

/// `WARNING: [pool www] MESSAGE`, with more before the bracket at `log_level = debug`.
fn of_a_pool(message: &str) -> Option<(&str, &str)> {
    let (before, rest) = message.split_once("[pool ")?;
    let (pool, said) = rest.split_once("] ")?;
    (before.len() < 80).then_some((pool, said.trim_end()))
}

/// The signal in `child 71 exited on signal 11 (SIGSEGV - core dumped) after 5.2 seconds from start`.
fn signal(said: &str) -> Option<u64> {
    let (child, rest) = said.strip_prefix("child ")?.split_once(" exited on signal ")?;
    text::decimal(child.as_bytes())?;
    text::decimal(rest.split(' ').next()?.as_bytes())
}

/// The lines of the last minutes with their times: what follows the bracket.
fn recent<'a>(bytes: &'a [u8], clock: &Clock) -> Vec<(i64, std::borrow::Cow<'a, str>)> {
    let lines = text::lines(bytes).filter_map(|(_, _, line)| {
        let (time, message) = timed(line)?;
        Some((clock.unix_s(time)?, String::from_utf8_lossy(message)))
    });
    let lines: Vec<_> = lines.collect();
    let now = clock.now.or_else(|| lines.iter().map(|(time, _)| *time).max()).unwrap_or(0);
    lines.into_iter().filter(|(time, _)| (now - RECENT_S..=now + RECENT_S).contains(time)).collect()
}

/// A line such as `[21-Nov-2026 21:20:14] NOTICE: …`; with microseconds at `log_level = debug`.
fn timed(line: &[u8]) -> Option<(DateTime, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let end = rest.iter().take(40).position(|byte| *byte == b']')?;
    let (time, message) = rest.split_at(end);
    Some((date_time(time)?, message.get(1..)?))
}

fn date_time(bytes: &[u8]) -> Option<DateTime> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let part = |from: usize, to: usize| {
        let number = text::decimal(bytes.get(from..to)?)?;
        i8::try_from(number).ok()
    };
    let month = MONTHS.iter().position(|name| bytes.get(3..6) == Some(name))?;
    let year = i16::try_from(text::decimal(bytes.get(7..11)?)?).ok()?;
    let (day, month) = (part(0, 2)?, i8::try_from(month + 1).ok()?);
    let time = Time::new(part(12, 14)?, part(15, 17)?, part(18, 20)?, 0).ok()?;
    Date::new(year, month, day).ok().map(|day| day.to_datetime(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Written by PHP-FPM 8.2.36 but for the times.
    const LINES: &str = "\
[21-Nov-2026 20:59:59] WARNING: [pool old] server reached pm.max_children setting (5), consider raising it
[21-Nov-2026 21:20:14] NOTICE: ready to handle connections
[21-Nov-2026 21:20:15] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it
[21-Nov-2026 21:20:16] WARNING: [pool www] seems busy (you may need to increase pm.start_servers, or pm.min/max_spare_servers), spawning 8 children, there are 0 idle, and 5 total children
[21-Nov-2026 21:20:17] WARNING: [pool www] child 71, script '/srv/a.php' (request: \"GET /a.php\") execution timed out (31.2 sec), terminating
[21-Nov-2026 21:20:17] WARNING: [pool www] child 71 exited on signal 15 (SIGTERM) after 40.1 seconds from start
[21-Nov-2026 21:20:18.123456] WARNING: pid 7, fpm_children_bury(), line 250: [pool api] child 72 exited on signal 11 (SIGSEGV) after 5.2 seconds from start
[21-Nov-2026 21:20:19] WARNING: [pool www] child 73 said into stderr: \"NOTICE: [pool x] child 1 exited on signal 11 (\"
torn li";

    fn utc(now: Option<i64>) -> Clock {
        Clock { zone: TimeZone::UTC, now }
    }

    fn counts(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
        counts.iter().map(|(pool, count)| (pool.as_str(), *count)).collect()
    }

    #[test]
    fn warnings_of_the_last_minutes_are_counted_by_pool() {
        let log = parse(LINES.as_bytes(), &utc(None));
        assert_eq!(counts(&log.reached_max_children), [("www", 1)]);
        assert_eq!(counts(&log.seems_busy), [("www", 1)]);
        assert_eq!(counts(&log.terminated), [("www", 1)]);
        assert_eq!(counts(&log.died), [("api", 1)]);
        assert!((log.span_s - 5.0).abs() < 0.1);
    }

    #[test]
    fn a_log_of_last_week_says_nothing_of_now() {
        let now = date(2026, 11, 28).at(21, 20, 14, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        assert_eq!(parse(LINES.as_bytes(), &utc(Some(now.as_second()))), Log::default());
    }

    #[test]
    fn times_are_local() {
        let local = date(2026, 11, 21).at(21, 20, 14, 0);
        let east = Clock { zone: jiff::tz::offset(2).to_time_zone(), now: None };
        assert_eq!(east.unix_s(local).unwrap() + 7200, utc(None).unix_s(local).unwrap());
        assert_eq!(date_time(b"21-Nov-2026 21:20:14"), Some(local));
        for wrong in [&b"21-Nov-2026"[..], b"99-Nov-2026 21:20:14", b"21-Foo-2026 21:20:14", b""] {
            assert_eq!(date_time(wrong), None);
        }
    }

    #[test]
    fn slow_requests_are_those_of_the_pool() {
        let mut tree = host::Tree::in_memory(1);
        let slow = "\n[21-Nov-2026 21:20:14]  [pool www] pid 71\nscript_filename = /srv/a.php\n[0x7f] sleep() /srv/a.php:2\n\
                    \n[21-Nov-2026 21:20:15]  [pool api] pid 72\n";
        tree.put(0, "/var/log/slow.log", slow);
        let mut pool = Pool { name: "www".to_owned(), ..Pool::default() };
        let mut set = |key: &str, value: &str| {
            let setting = crate::php_fpm::Setting { value: value.to_owned(), ..Default::default() };
            pool.settings.insert(key.to_owned(), setting);
            slow_requests(&tree.at(0), &pool, &utc(None))
        };
        assert_eq!(set("slowlog", "/var/log/slow.log"), None, "without a time nothing is logged");
        assert_eq!(set("request_slowlog_timeout", "2s"), Some(1));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse(&bytes, &utc(None));
            timed(&bytes);
        }
    }
}
