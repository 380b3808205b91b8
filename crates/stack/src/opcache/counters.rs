//! What the shared memory of each PHP-FPM holds, as one of its workers says.

use std::collections::BTreeMap;

use host::{Host, Question};
use model::Unread;
use serde::Deserialize;
use serde_json::Value;

use super::asking::refusal;
use super::runtimes::{self, is_kept};
use super::{Cache, Counters, Runtime, Status};
use crate::php_fpm::{Master, Now, Pool};

/// The most masters that are asked, and the most pools of one that are tried until one answers.
const MOST_MASTERS: usize = 8;
const MOST_POOLS: usize = 4;
/// An answer is below 8 KiB: it names no script.
const MOST_BYTES: usize = 4 << 20;

/// Asks each PHP-FPM that runs. All pools of a master share one memory, so that one pool answers for all.
pub(super) fn read(host: &dyn Host) -> Result<Counters, Unread> {
    let now = Now::read(host)?;
    let mut masters = now.masters().take(MOST_MASTERS).peekable();
    if masters.peek().is_none() {
        return Ok(Counters::default());
    }
    let runtimes = runtimes::read(host).map(|facts| facts.runtimes).unwrap_or_default();
    let asking = Asking { host, now: &now, runtimes: &runtimes };
    Ok(Counters { caches: masters.filter_map(|master| asking.cache(master)).collect() })
}

struct Asking<'a> {
    host: &'a dyn Host,
    now: &'a Now,
    runtimes: &'a [Runtime],
}

impl Asking<'_> {
    fn cache(&self, master: &Master) -> Option<Cache> {
        let mut cache = Cache { master: master.pid?, version: master.version.clone(), ..Cache::default() };
        let (mut tried, mut refused) = (0, None);
        for pool in master.pools.iter().filter(|pool| !pool.listen.is_empty()) {
            if let Some(unread) = refusal(master, pool, self.runtimes) {
                refused.get_or_insert((pool, unread));
                continue;
            }
            cache.pool.clone_from(&pool.name);
            match self.ask(master, pool) {
                Ok(status) => return Some(Cache { status: Some(status), unread: None, ..cache }),
                Err(unread) => cache.unread = Some(unread),
            }
            tried += 1;
            if tried == MOST_POOLS {
                break;
            }
        }
        if let Some((pool, unread)) = refused.filter(|_| tried == 0) {
            cache.pool.clone_from(&pool.name);
            cache.unread = Some(unread);
        }
        Some(cache)
    }

    fn ask(&self, master: &Master, pool: &Pool) -> Result<Status, Unread> {
        self.now.may_be_asked(self.host, master, pool)?;
        let question = Question::OpcacheStatus { address: pool.listen.clone() };
        let answer = self.host.ask(&question).map_err(|error| {
            Unread::new(
                format!("OPcache of {}: {error}", pool.listen),
                "run narrows as root; the pool must be allowed to run a script below /run (open_basedir, AppArmor, SELinux)",
            )
        })?;
        parse(&answer).map_err(|why| not_understood(&pool.listen, &why))
    }
}

fn not_understood(address: &str, why: &str) -> Unread {
    Unread::new(
        format!("the answer of {address} about OPcache: {why}"),
        "see whether the pool may run a script (open_basedir, security.limit_extensions, disable_functions)",
    )
}

#[derive(Deserialize)]
struct Answer {
    status: Value,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
    /// Why there is no function `opcache_get_status`.
    missing: Option<String>,
}

/// Reads `{"status": opcache_get_status(false), "settings": {name: ini_get(name)}}`, where the scripts of preloading are
/// counted, not named. Where OPcache is off the status is `false`.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(answer: &[u8]) -> Result<Status, String> {
    if answer.len() > MOST_BYTES {
        return Err("it is larger than 4 MiB".to_owned());
    }
    let Answer { status: said, settings, missing } =
        serde_json::from_slice(answer).map_err(|error| format!("it is not the JSON wanted ({error})"))?;
    let mut status = match &said {
        Value::Object(_) => status(&said),
        Value::Bool(false) if is_restricted(&settings) => {
            return Err("opcache.restrict_api forbids it".to_owned());
        }
        Value::Bool(false) => Status::default(),
        Value::Null if missing.as_deref() == Some("not loaded") => Status::default(),
        Value::Null => return Err("opcache_get_status is disabled".to_owned()),
        _ => return Err("opcache_get_status is neither an object nor false".to_owned()),
    };
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(if on { "1" } else { "" }.to_owned()),
        _ => None,
    };
    let kept = settings.into_iter().filter(|(key, _)| is_kept(key));
    status.settings = kept.filter_map(|(key, value)| Some((key, text(value)?))).collect();
    Ok(status)
}

fn is_restricted(settings: &BTreeMap<String, Value>) -> bool {
    settings.get("opcache.restrict_api").and_then(Value::as_str).is_some_and(|folder| !folder.is_empty())
}

fn status(said: &Value) -> Status {
    let at = |path: &str| said.pointer(path);
    let count = |path: &str| at(path).and_then(Value::as_u64);
    let number = |path: &str| count(path).unwrap_or(0);
    let is = |path: &str| at(path).and_then(Value::as_bool);
    Status {
        enabled: is("/opcache_enabled").unwrap_or(false),
        cache_full: is("/cache_full").unwrap_or(false),
        used_bytes: number("/memory_usage/used_memory"),
        free_bytes: number("/memory_usage/free_memory"),
        wasted_bytes: number("/memory_usage/wasted_memory"),
        interned_buffer_bytes: count("/interned_strings_usage/buffer_size"),
        interned_used_bytes: count("/interned_strings_usage/used_memory"),
        interned_free_bytes: count("/interned_strings_usage/free_memory"),
        cached_scripts: number("/opcache_statistics/num_cached_scripts"),
        cached_keys: number("/opcache_statistics/num_cached_keys"),
        max_cached_keys: number("/opcache_statistics/max_cached_keys"),
        hits: number("/opcache_statistics/hits"),
        misses: number("/opcache_statistics/misses"),
        oom_restarts: number("/opcache_statistics/oom_restarts"),
        hash_restarts: number("/opcache_statistics/hash_restarts"),
        manual_restarts: number("/opcache_statistics/manual_restarts"),
        start_unix_s: at("/opcache_statistics/start_time").and_then(Value::as_f64),
        jit_on: is("/jit/on"),
        jit_buffer_bytes: count("/jit/buffer_size"),
        jit_free_bytes: count("/jit/buffer_free"),
        preloaded_scripts: count("/preload_statistics/scripts"),
        preloaded_bytes: count("/preload_statistics/memory_consumption"),
        settings: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `opcache_get_status(false)` of PHP 8.2.36 of Debian 12, scripts and hits put in by hand, by a worker of PHP-FPM.
    const ANSWER: &str = r#"{"status":{"opcache_enabled":true,"cache_full":false,"restart_pending":false,
        "restart_in_progress":false,"memory_usage":{"used_memory":9167936,"free_memory":125049792,"wasted_memory":0,
        "current_wasted_percentage":0},"interned_strings_usage":{"buffer_size":8388608,"used_memory":2495888,
        "free_memory":5892720,"number_of_strings":8331},"opcache_statistics":{"num_cached_scripts":3,"num_cached_keys":5,
        "max_cached_keys":16229,"hits":7,"start_time":1795296698,"last_restart_time":0,"oom_restarts":0,"hash_restarts":0,
        "manual_restarts":0,"misses":3,"blacklist_misses":0,"blacklist_miss_ratio":0,"opcache_hit_rate":70},
        "jit":{"enabled":false,"on":false,"kind":0,"opt_level":0,"opt_flags":0,"buffer_size":0,"buffer_free":0}},
        "settings":{"opcache.validate_timestamps":"1","memory_limit":"128M","mysqli.default_pw":"swordfish"}}"#;

    #[test]
    fn a_workers_answer_is_understood_and_no_secret_is_kept() {
        let status = parse(ANSWER.as_bytes()).unwrap();
        assert!(status.enabled && !status.cache_full);
        assert_eq!((status.used_bytes, status.free_bytes), (9_167_936, 125_049_792));
        assert_eq!((status.max_cached_keys, status.cached_keys, status.misses), (16_229, 5, 3));
        assert_eq!((status.jit_on, status.preloaded_scripts), (Some(false), None));
        let kept: Vec<_> = status.settings.keys().map(String::as_str).collect();
        assert_eq!(kept, ["memory_limit", "opcache.validate_timestamps"]);
    }

    #[test]
    fn a_cache_that_is_off_and_answers_of_something_else_are_told_apart() {
        assert!(!parse(br#"{"status":false,"settings":{}}"#).unwrap().enabled);
        assert!(!parse(br#"{"status":null,"missing":"not loaded"}"#).unwrap().enabled);
        assert!(parse(br#"{"status":null,"missing":"disabled"}"#).is_err());
        assert!(parse(br#"{"status":false,"settings":{"opcache.restrict_api":"/srv"}}"#).is_err());
        for wrong in [&b"Access denied."[..], b"{}", b"[]", b"{\"status\":7}", b"\xff\xfe"] {
            assert!(parse(wrong).is_err());
        }
    }

    /// Two masters; the first has a pool in a chroot before one that can be asked, the second only a busy one.
    #[test]
    fn one_pool_of_each_master_is_asked() {
        let mut tree = host::Tree::in_memory(1);
        let mut process = |pid: u32, parent: u32, title: &str, state: char| {
            tree.put(0, &format!("/proc/{pid}/cmdline"), format!("php-fpm: {title}"));
            tree.put(0, &format!("/proc/{pid}/stat"), format!("{pid} (php-fpm) {state} {parent}"));
        };
        process(10, 1, "master process (/etc/php/8.1/fpm/php-fpm.conf)", 'S');
        process(11, 10, "pool asked", 'S');
        process(20, 1, "master process (/etc/php/8.2/fpm/php-fpm.conf)", 'S');
        process(21, 20, "pool busy", 'R');
        let pools = "[caged]\nlisten = /run/caged.sock\nchroot = /srv\n[asked]\nlisten = /run/asked.sock\n";
        tree.put(0, "/etc/php/8.1/fpm/php-fpm.conf", pools);
        tree.put(0, "/etc/php/8.2/fpm/php-fpm.conf", "[busy]\nlisten = /run/busy.sock\n");
        tree.put(0, "/.narrows/opcache-status/run/asked.sock", ANSWER);
        tree.put(0, "/.narrows/opcache-status/run/busy.sock", ANSWER);
        let caches = read(&tree.at(0)).unwrap().caches;
        let [first, second] = caches.as_slice() else { panic!("{caches:?}") };
        assert_eq!((first.pool.as_str(), first.version.as_deref()), ("asked", Some("8.1")));
        assert_eq!(first.status.as_ref().unwrap().cached_scripts, 3);
        assert!(second.unread.as_ref().unwrap().why.contains("no worker of pool busy is idle"), "{second:?}");
    }
}
