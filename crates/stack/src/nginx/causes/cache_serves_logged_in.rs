//! A cache that visitors who are logged in do not pass by.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::{Edits, http};
use crate::nginx::caches::seen::{and_more, instances, line, none_found};
use crate::nginx::caches::{Cached, Conditions, cached};
use crate::nginx::{Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.cache-serves-logged-in",
    title: "Visitors who are logged in get what the cache stored for others",
    explains: &[],
    refutes: &[],
    document: include_str!("cache_serves_logged_in.md"),
    test,
};

/// The variable that is not 0 for visitors whose pages are their own.
const VARIABLE: &str = "$narrows_own_pages";
/// Cookies of WordPress and WooCommerce that make pages a visitor's own.
const COOKIES: &str = "\"~*(wordpress_logged_in_|wordpress_sec_|wp-postpass_|comment_author_|woocommerce_items_in_cart|wp_woocommerce_session_)\"";

struct Found<'a> {
    instance: &'a Instance,
    cached: Cached<'a>,
    /// Whether a stored page is given to them.
    given: bool,
    /// Whether theirs is stored, and given to others.
    stored: bool,
    /// Whether answers to POST are stored.
    post: bool,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut caches = 0_usize;
    let mut found: Vec<Found> = vec![];
    for instance in instances {
        let conditions = Conditions::read(&instance.configuration);
        let all = cached(&instance.configuration);
        caches += all.len();
        found.extend(all.into_iter().filter_map(|one| open(&conditions, instance, one)));
    }
    let worst = found.iter().max_by_key(|one| (one.stored, one.post, one.given));
    let Some(worst) = worst else {
        let text =
            if caches == 0 { "Nginx caches nothing" } else { "cookies decide over who passes each cache by" };
        return none_found(instances, text);
    };
    let titles: Vec<_> = found.iter().map(|one| one.cached.title()).collect();
    let what = match (worst.stored, worst.post, worst.given) {
        (true, _, _) => "pages of visitors who are logged in are stored and given to others",
        (false, true, _) => "answers to POST are stored and given to others",
        (false, false, _) => "visitors who are logged in get the page that was stored for those who are not",
    };
    let text = format!("{}: {what}", and_more(&titles));
    // Whether anybody can log in is known of WordPress alone.
    let outcome = match evidence.services.wordpress.facts().is_some_and(|facts| !facts.sites.is_empty()) {
        true => Outcome::confirmed(Severity::Latent, format!("{text}; it serves WordPress")),
        false if worst.post => Outcome::confirmed(Severity::Latent, text),
        false => Outcome::consistent(Severity::Latent, text).lacks(Missing::new(
            "which cookie marks a visitor whose pages are their own",
            "narrows knows those of WordPress; for others name them in a map and pass it to …_cache_bypass and …_no_cache",
        )),
    };
    Ok(outcome.seen_all(found.iter().flat_map(|one| lines(&one.cached))).remedy(remedy(&found)))
}

fn open<'a>(conditions: &Conditions, instance: &'a Instance, cached: Cached<'a>) -> Option<Found<'a>> {
    let behind = |rest: &str| {
        let texts = cached.all(rest).into_iter().map(|one| conditions.behind(&one.value()));
        texts.collect::<Vec<_>>().join(" ")
    };
    let by_cookie = |text: &str| text.contains("$http_cookie") || text.contains("$cookie_");
    let key = cached.key().map(|key| conditions.behind(&key)).unwrap_or_default();
    let keyed = by_cookie(&key) || key.contains("$remote_user") || key.contains("$http_authorization");
    let given = !keyed && !by_cookie(&behind("cache_bypass"));
    let ignores = cached.ignores("Cache-Control").is_some() && cached.ignores("Expires").is_some();
    // WordPress answers visitors who are logged in with Cache-Control: no-cache.
    let stored = !keyed && ignores && !by_cookie(&behind("no_cache"));
    let post = cached.get("cache_methods").is_some_and(|methods| methods.has("POST"));
    (given || stored || post).then_some(Found { instance, cached, given, stored, post })
}

fn lines(cached: &Cached) -> Vec<Observation> {
    let several = ["cache_bypass", "no_cache"].into_iter().flat_map(|name| cached.all(name));
    let single = ["cache_key", "cache_methods"].into_iter().filter_map(|name| cached.get(name));
    let ignored = cached.ignores("Cache-Control");
    std::iter::once(cached.cache).chain(single).chain(ignored).chain(several).map(line).collect()
}

fn remedy(found: &[Found]) -> Remedy {
    let reason = Derived::new(
        "",
        "whoever sends a cookie of WordPress or WooCommerce that makes pages their own, or Authorization, passes the cache by",
    );
    let risk = "the application makes every page of visitors who are logged in, as without a cache; cookies of other \
                applications and plugins have to be added";
    let title = "Let visitors who are logged in pass the cache by";
    let remedy = Remedy::new(title, "answers to visitors who are logged in have the status BYPASS");
    let mut done: Vec<*const Instance> = vec![];
    found.iter().fold(remedy, |remedy, one| {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        if let Some(http) = http(&one.instance.configuration) {
            let lines = ["default 0;".to_owned(), format!("{COOKIES} 1;")];
            edits.block(&http, ("map", &format!("$http_cookie {VARIABLE}")), &lines);
        }
        found
            .iter()
            .filter(|same| std::ptr::eq(same.instance, one.instance))
            .for_each(|one| pass_by(&mut edits, one));
        edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}

fn pass_by(edits: &mut Edits, found: &Found) {
    for rest in ["cache_bypass", "no_cache"] {
        let existing = found.cached.all(rest);
        let place = found.cached.context.home(existing.first().copied().unwrap_or(found.cached.cache));
        edits.one_more(&place, &found.cached.name(rest), &format!("{VARIABLE} $http_authorization"));
    }
    if let Some(methods) = found.cached.get("cache_methods").filter(|_| found.post) {
        let rest: Vec<_> =
            methods.arguments.iter().filter(|one| *one != "POST").map(String::as_str).collect();
        let place = found.cached.context.home(methods);
        match rest.as_slice() {
            [] => edits.remove(&place, methods),
            rest => edits.set(&place, Some::<&Directive>(methods), &methods.name, &rest.join(" ")),
        }
    }
}
