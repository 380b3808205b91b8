//! What of this host happens at regular distances: a stall that recurs has one of these behind it.

use super::period::Period;
use crate::nginx::{self, Configuration};
use crate::services::facts;
use crate::{Evidence, nfs};

/// What a timer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// OPcache looks whether files have changed (`opcache.revalidate_freq`).
    Opcache,
    /// What an NFS client knows of files and folders ends (`acregmax`, `acdirmax`, `actimeo`).
    Nfs,
    /// A crontab or a systemd timer starts a job.
    Cron,
    /// Answers in a cache of Nginx end (`fastcgi_cache_valid`).
    Cache,
    /// A visitor's request starts WordPress's jobs, at most once a minute (`WP_CRON_LOCK_TIMEOUT`).
    WpCron,
}

/// Something that happens at regular distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Timer {
    /// What it does.
    pub kind: TimerKind,
    /// What a person knows it by.
    pub name: String,
    /// Seconds from one time to the next.
    pub period_s: f64,
    /// Where it is set.
    pub source: String,
}

/// A distance is that of a timer when they differ by at most this share …
const SHARE: f64 = 0.1;
/// … or by so many seconds: it is a request that finds a timer run out, and comes a moment later.
const LATE_S: f64 = 1.5;
/// The longest distance that shows in the last minutes of a log.
const LONGEST_S: f64 = 900.0;
/// Timers that are looked at.
const MOST: usize = 1000;

/// Every timer of the host that is known and runs at least every 15 minutes.
pub fn timers(evidence: &Evidence) -> Vec<Timer> {
    let all = opcache(evidence)
        .chain(nfs(evidence))
        .chain(cron(evidence))
        .chain(cache(evidence))
        .chain(wp_cron(evidence));
    all.filter(|timer| timer.period_s > 0.0 && timer.period_s <= LONGEST_S).take(MOST).collect()
}

/// The timers whose distance is that of a stall, the nearest first.
pub fn matching_timers(evidence: &Evidence, period: &Period) -> Vec<Timer> {
    let off = |timer: &Timer| (timer.period_s - period.period_s).abs();
    let mut near: Vec<_> = timers(evidence)
        .into_iter()
        .filter(|timer| off(timer) <= LATE_S.max(SHARE * timer.period_s.min(period.period_s)))
        .collect();
    near.sort_by(|a, b| off(a).total_cmp(&off(b)));
    near
}

/// The stall that recurs at the distance of a timer of this kind, with that timer.
pub fn matching_timer(evidence: &Evidence, kind: TimerKind) -> Option<(Period, Timer)> {
    let (_, period) = super::period(evidence).ok()??;
    let timer = matching_timers(evidence, &period).into_iter().find(|timer| timer.kind == kind)?;
    Some((period, timer))
}

fn opcache(evidence: &Evidence) -> impl Iterator<Item = Timer> {
    const KEY: &str = "opcache.revalidate_freq";
    let runtimes =
        facts(&evidence.services.opcache).map(|facts| facts.runtimes.as_slice()).unwrap_or_default();
    let fpm = runtimes.iter().filter(|runtime| {
        runtime.interface == "fpm"
            && runtime.loaded != Some(false)
            && runtime.is_on("opcache.validate_timestamps", true)
    });
    fpm.filter_map(|runtime| {
        Some(Timer {
            kind: TimerKind::Opcache,
            name: format!("{KEY} of PHP {}", runtime.version),
            period_s: runtime.value(KEY, "2").trim().parse().ok()?,
            source: runtime
                .settings
                .get(KEY)
                .map_or("PHP's default".to_owned(), crate::php_fpm::Setting::place),
        })
    })
}

fn nfs(evidence: &Evidence) -> impl Iterator<Item = Timer> {
    let mounts =
        evidence.latest(|reading| &reading.nfs).map(|facts| facts.mounts.as_slice()).unwrap_or_default();
    mounts.iter().flat_map(|mount| {
        let timer = |option: &str, default: f64| Timer {
            kind: TimerKind::Nfs,
            name: format!("{option} of {}", mount.mount_point),
            period_s: seconds_of(mount, option).unwrap_or(default),
            source: "/proc/self/mountstats".to_owned(),
        };
        let cached = !mount.options.contains_key("noac");
        // nfs(5): the longest that attributes of a file and of a folder are believed.
        let mut both = vec![timer("acregmax", 60.0), timer("acdirmax", 60.0)];
        if let Some(period_s) = seconds_of(mount, "actimeo") {
            both = vec![timer("actimeo", period_s)];
        }
        both.into_iter().filter(move |_| cached)
    })
}

fn seconds_of(mount: &nfs::Mount, option: &str) -> Option<f64> {
    mount.options.get(option)?.as_deref()?.parse().ok()
}

fn cron(evidence: &Evidence) -> impl Iterator<Item = Timer> {
    let jobs = facts(&evidence.services.cron).map(|facts| facts.jobs.as_slice()).unwrap_or_default();
    jobs.iter().filter_map(|job| {
        let name = job.service.as_ref().map_or_else(|| job.schedule.clone(), |service| service.unit.clone());
        Some(Timer {
            kind: TimerKind::Cron,
            name: format!("cron job {name}"),
            period_s: job.period_s?,
            source: if job.line > 0 { format!("{}:{}", job.file, job.line) } else { job.file.clone() },
        })
    })
}

fn cache(evidence: &Evidence) -> impl Iterator<Item = Timer> {
    let instances =
        facts(&evidence.services.nginx).map(|facts| facts.instances.as_slice()).unwrap_or_default();
    instances.iter().flat_map(|instance| valid_times(&instance.configuration))
}

/// The times for which answers are kept, in blocks that have a cache.
fn valid_times(configuration: &Configuration) -> Vec<Timer> {
    const KINDS: [(&str, &str); 4] = [
        ("fastcgi_cache", "fastcgi_cache_valid"),
        ("proxy_cache", "proxy_cache_valid"),
        ("uwsgi_cache", "uwsgi_cache_valid"),
        ("scgi_cache", "scgi_cache_valid"),
    ];
    let mut timers: Vec<Timer> = Vec::new();
    for context in configuration.contexts() {
        for (cache, valid) in KINDS {
            let used = context.get(cache).is_some_and(|cache| cache.first() != Some("off"));
            for directive in context.all(valid).into_iter().filter(|_| used) {
                let time = directive.arguments.last().and_then(|time| nginx::configuration::time_s(time));
                let source = directive.place();
                if let Some(period_s) = time.filter(|_| timers.iter().all(|known| known.source != source)) {
                    let name = format!("{valid} {}", directive.value());
                    timers.push(Timer { kind: TimerKind::Cache, name, period_s, source });
                }
            }
        }
    }
    timers
}

fn wp_cron(evidence: &Evidence) -> impl Iterator<Item = Timer> {
    let instances =
        facts(&evidence.services.nginx).map(|facts| facts.instances.as_slice()).unwrap_or_default();
    let logs = instances.iter().flat_map(|instance| &instance.access_logs);
    logs.filter(|log| log.wp_cron.is_some()).map(|log| Timer {
        kind: TimerKind::WpCron,
        name: "wp-cron.php, which visitors start".to_owned(),
        period_s: 60.0,
        source: log.path.clone(),
    })
}
