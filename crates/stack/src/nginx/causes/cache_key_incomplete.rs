//! A cache that finds different pages by the same key.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::seen::{and_more, instances, line, none_found};
use crate::nginx::caches::{Cached, Conditions, cached};
use crate::nginx::{Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.cache-key-incomplete",
    title: "The cache takes different pages for the same",
    explains: &[],
    refutes: &[],
    document: include_str!("cache_key_incomplete.md"),
    test,
};

const WHOLE: &str = "\"$scheme$request_method$host$request_uri\"";

/// What a key does not tell apart, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// A HEAD request stores a page without a body for those who GET it.
    Method,
    /// Pages over http and https.
    Scheme,
    /// Sites.
    Host,
    /// Pages.
    Uri,
    /// Anything: there is no key.
    All,
}

impl Lack {
    fn text(self) -> &'static str {
        match self {
            Self::Method => "a HEAD request stores an empty page for those who ask for it by GET",
            Self::Scheme => "what is stored over http is given out over https, redirections among it",
            Self::Host => "pages of one site are given out for another",
            Self::Uri => "one page is given out for others",
            Self::All => "there is no key: the first page that is stored is given out for every other",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::All | Self::Uri => Severity::Breaking,
            Self::Host | Self::Scheme | Self::Method => Severity::Latent,
        }
    }
}

struct Found<'a> {
    instance: &'a Instance,
    cached: Cached<'a>,
    lack: Lack,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut caches = 0_usize;
    let mut found: Vec<Found> = vec![];
    for instance in instances {
        let conditions = Conditions::read(&instance.configuration);
        let all = cached(&instance.configuration);
        caches += all.len();
        let sites = sites(&all);
        found.extend(all.iter().filter_map(|one| {
            let lack = lack(&conditions, one, sites)?;
            Some(Found { instance, cached: one.clone(), lack })
        }));
    }
    let Some(worst) = found.iter().map(|one| one.lack).max() else {
        return none_found(
            instances,
            if caches == 0 { "Nginx caches nothing" } else { "each page has a key of its own" },
        );
    };
    let titles: Vec<_> = found.iter().filter(|one| one.lack == worst).map(|one| one.cached.title()).collect();
    let text = format!("{}: {}", and_more(&titles), worst.text());
    let seen = found.iter().flat_map(|one| lines(&one.cached));
    Ok(Outcome::confirmed(worst.severity(), text).seen_all(seen).remedy(remedy(&found)))
}

/// How many sites all servers that cache have; pages of one need no host in their key. A server without a name is one.
fn sites(all: &[Cached]) -> usize {
    let mut names = std::collections::BTreeSet::new();
    for server in all.iter().filter_map(|one| one.context.around("server")) {
        let own: Vec<_> = server.children().iter().filter(|one| one.name == "server_name").collect();
        let own =
            own.iter().flat_map(|one| &one.arguments).map(|name| name.trim_start_matches("www.").to_owned());
        let before = names.len();
        names.extend(own);
        if names.len() == before {
            names.insert(server.place());
        }
    }
    names.len()
}

fn lack(conditions: &Conditions, cached: &Cached, sites: usize) -> Option<Lack> {
    let Some(key) = cached.key() else { return Some(Lack::All) };
    let key = conditions.behind(&key);
    let has = |names: &[&str]| names.iter().any(|name| key.contains(name));
    let listens = cached.context.around("server").map(Directive::children).unwrap_or_default();
    let mut listens = listens.iter().filter(|one| one.name == "listen");
    let (mut secure, mut plain) = (false, false);
    listens.by_ref().for_each(|one| if one.has("ssl") { secure = true } else { plain = true });
    let both = secure && plain;
    if !has(&["$request_uri", "$uri", "$document_uri", "$request_filename"]) || key.trim().is_empty() {
        return Some(Lack::Uri);
    }
    if sites > 1 && !has(&["$host", "$http_host", "$server_name"]) {
        return Some(Lack::Host);
    }
    if both && !has(&["$scheme", "$https", "$server_port", "$http_x_forwarded_proto"]) {
        return Some(Lack::Scheme);
    }
    // A proxy asks by GET for what it is asked for by HEAD (`proxy_cache_convert_head`); FastCGI does not.
    let converts = cached.family == "proxy"
        && cached.get("cache_convert_head").and_then(Directive::first) != Some("off");
    let method =
        key.contains("$request_method") || key.split_whitespace().any(|word| word.ends_with("$request"));
    (!converts && !method).then_some(Lack::Method)
}

fn lines(cached: &Cached) -> Vec<Observation> {
    let none = || Observation::new(cached.cache.place(), cached.name("cache_key"), "none");
    vec![cached.get("cache_key").map_or_else(none, line), line(cached.cache)]
}

fn remedy(found: &[Found]) -> Remedy {
    let reason =
        Derived::new(WHOLE, "what tells pages apart: scheme, method, site, path with its parameters");
    let risk = "all pages are stored anew: the upstream makes each once more";
    let remedy = Remedy::new("Have the key tell pages apart", "each page is found by a key of its own");
    let mut done: Vec<*const Instance> = vec![];
    found.iter().fold(remedy, |remedy, one| {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in found.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            let existing = same.cached.get("cache_key");
            let place = same.cached.context.home(existing.unwrap_or(same.cached.cache));
            edits.set(&place, existing, &same.cached.name("cache_key"), WHOLE);
        }
        edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}
