//! The caches of Nginx as they are configured: where one is used, by which key, and who passes it by. `fastcgi_`, `proxy_`,
//! `uwsgi_` and `scgi_` have the same directives.

mod conditions;
pub(super) mod edits;
mod folders;
pub(super) mod seen;

pub(super) use conditions::Conditions;
pub use folders::CacheFolder;
pub(super) use folders::read as read_folders;

use super::configuration::{Context, size_bytes};
use super::{Configuration, Directive, Instance};

/// What a response is asked for with; the first word of its directives.
const FAMILIES: [&str; 4] = ["fastcgi", "proxy", "uwsgi", "scgi"];
/// Keys that a megabyte of `keys_zone` holds (ngx_http_proxy_module, `proxy_cache_path`).
pub(super) const KEYS_PER_MB: u64 = 8000;

/// A block that passes requests on, and caches what comes back.
#[derive(Debug, Clone)]
pub(super) struct Cached<'a> {
    /// `fastcgi`, `proxy`, `uwsgi` or `scgi`.
    pub(super) family: &'static str,
    /// The block, with what surrounds it.
    pub(super) context: Context<'a>,
    /// The directive that names the zone.
    pub(super) cache: &'a Directive,
}

/// Every block that passes requests on by itself, with its family.
pub(super) fn passing(configuration: &Configuration) -> Vec<(&'static str, Context<'_>)> {
    let mut all = Vec::new();
    for context in configuration.contexts() {
        let family = FAMILIES.into_iter().find(|family| context.own(&format!("{family}_pass")).is_some());
        all.extend(family.map(|family| (family, context)));
    }
    all
}

/// Every block that caches.
pub(super) fn cached(configuration: &Configuration) -> Vec<Cached<'_>> {
    passing(configuration).into_iter().filter_map(|(family, context)| Cached::of(family, context)).collect()
}

impl<'a> Cached<'a> {
    fn of(family: &'static str, context: Context<'a>) -> Option<Self> {
        let cache = context.get(&format!("{family}_cache")).filter(|cache| cache.first() != Some("off"))?;
        Some(Self { family, context, cache })
    }

    /// The name of a directive of its family.
    pub(super) fn name(&self, rest: &str) -> String {
        format!("{}_{rest}", self.family)
    }

    /// The directive of its family that has effect here.
    pub(super) fn get(&self, rest: &str) -> Option<&'a Directive> {
        self.context.get(&self.name(rest))
    }

    /// All of one name that have effect here.
    pub(super) fn all(&self, rest: &str) -> Vec<&'a Directive> {
        self.context.all(&self.name(rest))
    }

    /// Whether a directive of its family is `on` here.
    pub(super) fn is_on(&self, rest: &str) -> bool {
        self.get(rest).and_then(Directive::first) == Some("on")
    }

    /// The key under which a response is found again, with its default; `None` where every request has the same empty one.
    pub(super) fn key(&self) -> Option<String> {
        let own = self.get("cache_key").map(Directive::value);
        own.or_else(|| (self.family == "proxy").then(|| "$scheme$proxy_host$request_uri".to_owned()))
    }

    /// The directive that has the cache ignore a header of responses.
    pub(super) fn ignores(&self, header: &str) -> Option<&'a Directive> {
        let is_it = |one: &&Directive| one.arguments.iter().any(|own| own.eq_ignore_ascii_case(header));
        self.all("ignore_headers").into_iter().find(is_it)
    }

    /// Whether a header of responses never reaches a client.
    pub(super) fn hides(&self, header: &str) -> bool {
        let is_it = |one: &&Directive| one.first().is_some_and(|own| own.eq_ignore_ascii_case(header));
        self.all("hide_header").iter().any(is_it)
    }

    /// The block as a person finds it: `location ~ \.php$ (/etc/nginx/sites-enabled/default:12)`.
    pub(super) fn title(&self) -> String {
        title(&self.context)
    }
}

/// A block as a person finds it.
pub(super) fn title(context: &Context<'_>) -> String {
    match context.block() {
        Some(block) => {
            format!("{} ({})", format!("{} {}", block.name, block.value()).trim_end(), block.place())
        }
        None => "the file itself".to_owned(),
    }
}

/// A `*_cache_path` directive.
#[derive(Debug, Clone)]
pub(super) struct Zone<'a> {
    /// The directive.
    pub(super) directive: &'a Directive,
    /// The folder.
    pub(super) folder: &'a str,
    /// The zone's name.
    pub(super) name: &'a str,
    /// The bytes of its keys in memory.
    pub(super) keys_bytes: Option<u64>,
    /// The most bytes that its files may take.
    pub(super) max_bytes: Option<u64>,
    /// The bytes that stay free on the file system.
    pub(super) min_free_bytes: Option<u64>,
}

/// Every zone of a configuration.
pub(super) fn zones(configuration: &Configuration) -> Vec<Zone<'_>> {
    let contexts = configuration.contexts();
    let blocks = contexts.iter().filter(|context| context.block().is_some_and(|block| block.name == "http"));
    let names = FAMILIES.map(|family| format!("{family}_cache_path"));
    let directives = blocks.filter_map(Context::block).flat_map(Directive::children);
    directives.filter(|one| names.contains(&one.name)).filter_map(zone).collect()
}

fn zone(directive: &Directive) -> Option<Zone<'_>> {
    let (name, keys) = directive.parameter("keys_zone")?.rsplit_once(':')?;
    let size = |name: &str| directive.parameter(name).and_then(size_bytes);
    Some(Zone {
        directive,
        folder: directive.first()?,
        name,
        keys_bytes: size_bytes(keys),
        max_bytes: size("max_size"),
        min_free_bytes: size("min_free"),
    })
}

/// The responses that an Nginx logged with a status of its cache, by status, and how many they are.
pub(super) fn logged(instance: &Instance) -> Option<std::collections::BTreeMap<String, u64>> {
    let mut all = std::collections::BTreeMap::new();
    for (status, count) in instance.access_logs.iter().flat_map(|log| &log.cache) {
        *all.entry(status.clone()).or_insert(0) += count;
    }
    (!all.is_empty()).then_some(all)
}
