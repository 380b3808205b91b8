//! A cache that stores pages with the cookie of their first visitor.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::seen::{and_more, instances, line, none_found};
use crate::nginx::caches::{Cached, Conditions, cached, logged};
use crate::nginx::{Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.cache-leaks-cookies",
    title: "The cache gives the cookie of one visitor to others",
    explains: &[],
    refutes: &[],
    document: include_str!("cache_leaks_cookies.md"),
    test,
};

const SET_COOKIE: &str = "Set-Cookie";

/// A block that stores responses with their cookies.
struct Leak<'a> {
    instance: &'a Instance,
    cached: Cached<'a>,
    /// The directive that has the cache ignore the header.
    ignoring: &'a Directive,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut caches = 0_usize;
    let mut leaks: Vec<Leak> = vec![];
    for instance in instances {
        let conditions = Conditions::read(&instance.configuration);
        for cached in cached(&instance.configuration) {
            caches += 1;
            leaks.extend(leak(&conditions, instance, cached));
        }
    }
    let Some(first) = leaks.first() else {
        let text = match caches {
            0 => "Nginx caches nothing",
            _ => "no cache stores a response that sets a cookie",
        };
        return none_found(instances, text);
    };
    let titles: Vec<_> = leaks.iter().map(|leak| leak.cached.title()).collect();
    let text = format!(
        "{}: stored with the {SET_COOKIE} of the first visitor, given to all who ask for the same page",
        and_more(&titles)
    );
    // Where every cache of an Nginx leaks, what the log calls a hit came from one that does.
    let all_leak = leaks.iter().filter(|leak| std::ptr::eq(leak.instance, first.instance)).count()
        == cached(&first.instance.configuration).len();
    let hits = logged(first.instance).map(|statuses| {
        let of = |status: &str| statuses.get(status).copied().unwrap_or(0);
        of("HIT") + of("STALE") + of("UPDATING") + of("REVALIDATED")
    });
    let outcome = match hits {
        Some(hits) if hits > 0 && all_leak => {
            let text = format!("{text}; {} answers came from there", number_text(hits as f64));
            Outcome::confirmed(Severity::Breaking, text).seen(Observation::new(
                "access log",
                "$upstream_cache_status HIT, STALE, UPDATING",
                hits,
            ))
        }
        Some(hits) if hits > 0 => Outcome::confirmed(Severity::Latent, text).lacks(Missing::new(
            "which of the caches the logged hits came from",
            "give each server a log of its own, with $upstream_cache_status",
        )),
        Some(_) => {
            Outcome::confirmed(Severity::Latent, format!("{text}; none was given out in the log's time"))
        }
        None => Outcome::confirmed(Severity::Latent, text).lacks(Missing::new(
            "whether stored answers were given out",
            "log $upstream_cache_status in the access log's format",
        )),
    };
    let outcome = outcome.seen_all(leaks.iter().flat_map(lines));
    Ok(outcome.remedy(heed(&leaks)).remedy(hide(&leaks)))
}

fn leak<'a>(conditions: &Conditions, instance: &'a Instance, cached: Cached<'a>) -> Option<Leak<'a>> {
    let ignoring = cached.ignores(SET_COOKIE)?;
    let keyed = cached.key().map(|key| conditions.behind(&key)).unwrap_or_default();
    let by_cookie = keyed.contains("$http_cookie") || keyed.contains("$cookie_");
    let not_stored = cached.all("no_cache").iter().any(|one| {
        let behind = conditions.behind(&one.value());
        behind.contains("_http_set_cookie") || behind.contains("$upstream_cookie_")
    });
    (!by_cookie && !not_stored && !cached.hides(SET_COOKIE)).then_some(Leak { instance, cached, ignoring })
}

fn lines(leak: &Leak) -> Vec<Observation> {
    let key = leak.cached.get("cache_key");
    [Some(leak.ignoring), Some(leak.cached.cache), key].into_iter().flatten().map(line).collect()
}

/// Responses that set a cookie are not stored any more.
fn heed(leaks: &[Leak]) -> Remedy {
    let reason =
        Derived::new("", "the ignored headers without Set-Cookie: what sets a cookie is then not stored");
    let risk = "pages that set a cookie on every answer are not cached any more, and PHP makes them each time; what is stored \
                already keeps its cookie until it expires: empty the folder of the cache";
    let remedy = Remedy::new("Heed Set-Cookie", "no answer from the cache carries Set-Cookie");
    changed(leaks, remedy, &reason, risk, |edits, leak| {
        let context = leak.cached.context.home(leak.ignoring);
        let rest: Vec<_> = leak
            .ignoring
            .arguments
            .iter()
            .filter(|one| !one.eq_ignore_ascii_case(SET_COOKIE))
            .map(String::as_str)
            .collect();
        match rest.as_slice() {
            [] => edits.remove(&context, leak.ignoring),
            rest => edits.set(&context, Some(leak.ignoring), &leak.ignoring.name, &rest.join(" ")),
        }
    })
}

/// Cookies reach nobody through these blocks: for pages on which nobody logs in.
fn hide(leaks: &[Leak]) -> Remedy {
    let reason = Derived::new("", "Set-Cookie is taken out of every answer of the block, stored or not");
    let risk = "nobody can log in, fill a basket or accept a banner through this block; only for pages that are the same for all";
    let remedy =
        Remedy::new("Hide Set-Cookie where no page needs it", "no answer of the block carries Set-Cookie");
    changed(leaks, remedy, &reason, risk, |edits, leak| {
        edits.one_more(&leak.cached.context, &leak.cached.name("hide_header"), SET_COOKIE);
    })
}

fn changed(
    leaks: &[Leak],
    remedy: Remedy,
    reason: &Derived,
    risk: &str,
    edit: impl Fn(&mut Edits, &Leak),
) -> Remedy {
    let mut done: Vec<*const Instance> = vec![];
    leaks.iter().fold(remedy, |remedy, leak| {
        let instance: *const Instance = leak.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&leak.instance.configuration);
        leaks
            .iter()
            .filter(|other| std::ptr::eq(other.instance, leak.instance))
            .for_each(|leak| edit(&mut edits, leak));
        edits.changes(reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}
