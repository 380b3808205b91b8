//! A cache whose entry expires for all visitors at once.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::seen::{and_more, instances, line, none_found};
use crate::nginx::caches::{Cached, cached, logged};
use crate::nginx::{Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.cache-stampede",
    title: "An expired page of the cache is asked for by everybody at once",
    explains: &["nginx.first-byte-slow", "nginx.periodic-stall"],
    refutes: &[],
    document: include_str!("cache_stampede.md"),
    test,
};

/// Fewer requests to upstreams within one second than this are no stampede.
const LEAST_AT_ONCE: u32 = 10;
/// A second stands out when it has so many times the requests to upstreams of a usual one.
const STANDS_OUT: f64 = 5.0;
/// What nginx waits for at a lock by itself, in seconds (`*_cache_lock_timeout`).
const LOCK_TIMEOUT_S: f64 = 5.0;

/// What one block leaves open.
struct Open<'a> {
    cached: Cached<'a>,
    instance: &'a Instance,
    updating: bool,
    background: bool,
    lock: bool,
}

impl Open<'_> {
    fn is_open(&self) -> bool {
        !(self.updating && self.background && self.lock)
    }

    fn what(&self) -> &'static str {
        match (self.updating, self.background) {
            (false, _) => "every request for an expired page asks the upstream",
            (true, false) => "one visitor of each expired page waits for the upstream",
            (true, true) => "every request for a page that is not stored yet asks the upstream",
        }
    }
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let all = instances.iter().flat_map(|instance| {
        cached(&instance.configuration).into_iter().map(move |cached| open(instance, cached))
    });
    let (open, sound): (Vec<_>, Vec<_>) = all.partition(Open::is_open);
    let Some(worst) = open.iter().max_by_key(|one| (!one.updating, !one.background)) else {
        return none_found(
            instances,
            match sound.len() {
                0 => "Nginx caches nothing".to_owned(),
                _ => "what expired is served until one request has renewed it".to_owned(),
            },
        );
    };
    let titles: Vec<_> = open.iter().map(|one| one.cached.title()).collect();
    let text = format!("{}: {}", and_more(&titles), worst.what());
    let burst = if worst.updating { None } else { burst(worst.instance) };
    let severity = match (worst.updating && worst.background, &burst) {
        (true, _) => Severity::Hygiene,
        (_, Some(_)) => Severity::Limiting,
        (_, None) => Severity::Latent,
    };
    let text = match &burst {
        Some(burst) => format!("{text}; {}", burst.line()),
        None => text,
    };
    let seen = open.iter().flat_map(|one| lines(&one.cached));
    let outcome = Outcome::confirmed(severity, text)
        .seen_all(burst.iter().map(Burst::observation))
        .seen_all(logged(worst.instance).into_iter().flatten().map(|(status, count)| {
            Observation::new("access log", format!("$upstream_cache_status {status}"), count)
        }))
        .seen_all(seen);
    let outcome = if logged(worst.instance).is_none() { outcome.lacks(not_logged()) } else { outcome };
    Ok(outcome.remedy(remedy(&open)))
}

fn open<'a>(instance: &'a Instance, cached: Cached<'a>) -> Open<'a> {
    let updating = cached.get("cache_use_stale").is_some_and(|stale| stale.has("updating"));
    Open {
        updating,
        // Without `updating` a background request is made for `stale-while-revalidate` of the response alone.
        background: cached.is_on("cache_background_update"),
        lock: cached.is_on("cache_lock"),
        cached,
        instance,
    }
}

fn lines(cached: &Cached) -> Vec<Observation> {
    let names = ["cache_valid", "cache_use_stale", "cache_background_update", "cache_lock"];
    std::iter::once(cached.cache)
        .chain(names.into_iter().filter_map(|name| cached.get(name)))
        .map(line)
        .collect()
}

fn not_logged() -> Missing {
    Missing::new(
        "how many requests ask the upstream when a page expires",
        "log $upstream_cache_status and $upstream_response_time in the access log's format",
    )
}

/// Seconds in which far more requests than usual asked an upstream, while a cache answered others.
struct Burst {
    times: usize,
    most: u32,
    usual: f64,
    span_s: f64,
}

impl Burst {
    fn line(&self) -> String {
        format!(
            "{} asked it within one second, {} such seconds in {} s, {} in a usual one",
            self.most,
            self.times,
            number_text(self.span_s.round()),
            number_text((self.usual * 10.0).round() / 10.0)
        )
    }

    fn observation(&self) -> Observation {
        Observation::new("access log", "most requests to upstreams within one second", self.most)
    }
}

/// Bursts of requests to upstreams in the logs that have the cache's status.
fn burst(instance: &Instance) -> Option<Burst> {
    let logs = instance.access_logs.iter().filter(|log| log.cache.contains_key("EXPIRED"));
    let log = logs.max_by_key(|log| log.cache.get("EXPIRED").copied())?;
    let mut asked: Vec<u32> = log.seconds.iter().map(|second| second.asked_upstream).collect();
    let quiet = log.span_s - f64::from(u32::try_from(asked.len()).ok()?);
    asked.sort_unstable();
    // Seconds without any request are not listed.
    let usual =
        if quiet > f64::from(u32::try_from(asked.len()).ok()?) { 0 } else { *asked.get(asked.len() / 2)? };
    let usual = f64::from(usual);
    let stands_out =
        |asked: &&u32| **asked >= LEAST_AT_ONCE && f64::from(**asked) >= STANDS_OUT * usual.max(1.0);
    let times = asked.iter().filter(stands_out).count();
    let most = *asked.last()?;
    (times > 0).then_some(Burst { times, most, usual, span_s: log.span_s })
}

/// All blocks get what they lack; the seconds that an upstream takes decide over the lock's patience.
fn remedy(open: &[Open]) -> Remedy {
    let times =
        open.iter().flat_map(|one| &one.instance.access_logs).filter_map(|log| log.upstream_response_time_s);
    let slowest_s = times.map(|times| times.p99).max_by(f64::total_cmp);
    let mut reason = Derived::new(
        "",
        "use_stale updating and background_update: the old page until one request has made the new one; lock: one request \
         makes a page that is not stored yet",
    );
    if let Some(slowest_s) = slowest_s {
        reason = reason.input(
            "upstream p99",
            format!("{} s", number_text(slowest_s)),
            "access log, $upstream_response_time",
        );
    }
    let patience_s = slowest_s.map(|slowest_s| (slowest_s * 2.0).ceil()).filter(|s| *s > LOCK_TIMEOUT_S);
    let mut remedy = Remedy::new(
        "Serve the old page while one request makes the new one",
        "one request to the upstream for each expiry of a page",
    );
    let mut done: Vec<*const Instance> = vec![];
    for one in open {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            continue;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in open.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            complete(&mut edits, same, patience_s);
        }
        let risk = "a visitor may see a page that is as old as its life and the time one request takes; on a kept \
                    connection the next request waits until the background request is done";
        remedy = edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change);
    }
    remedy
}

fn complete(edits: &mut Edits, open: &Open, patience_s: Option<f64>) {
    let Open { cached, .. } = open;
    let home = cached.context.home(cached.cache);
    let mut set = |rest: &str, arguments: &str| {
        let existing = cached.get(rest);
        let place = existing.map_or_else(|| home.clone(), |existing| cached.context.home(existing));
        edits.set(&place, existing, &cached.name(rest), arguments);
    };
    if !open.updating {
        let now = cached.get("cache_use_stale").filter(|stale| !stale.has("off")).map(Directive::value);
        let stale = now.map_or_else(|| "error timeout updating".to_owned(), |now| format!("{now} updating"));
        set("cache_use_stale", &stale);
    }
    if !open.background {
        set("cache_background_update", "on");
    }
    if !open.lock {
        set("cache_lock", "on");
    }
    if let Some(patience_s) = patience_s {
        set("cache_lock_timeout", &format!("{patience_s}s"));
        set("cache_lock_age", &format!("{patience_s}s"));
    }
}
