//! What is known of OPcache in each PHP of the host.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

use crate::php_fpm::{FileProblem, Setting};

/// OPcache as configured, read once per window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each version of PHP with each way of running it.
    pub runtimes: Vec<Runtime>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// One way to run one version of PHP. Settings of FPM are not those of the command line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runtime {
    /// PHP's version, as `8.2`.
    pub version: String,
    /// `fpm`, `cli` or another server interface.
    pub interface: String,
    /// The ini files in the order in which PHP reads them; those of `conf.d` with what they link to.
    pub files: Vec<IniFile>,
    /// The settings that have effect, by name, all extensions': the last line that sets each.
    pub settings: BTreeMap<String, Setting>,
    /// Whether a line of a file loads OPcache (`zend_extension`), or it is built in; `None` where that is not known.
    pub loaded: Option<bool>,
    /// The script of `opcache.preload`, where one is set.
    pub preload: Option<PreloadScript>,
}

/// A script that names what is preloaded, and what its files are like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreloadScript {
    /// The script.
    pub file: String,
    /// Whether it was read; all else is unknown if not.
    pub read: bool,
    /// Whether it walks folders rather than to name files.
    pub takes_folders: bool,
    /// The folders that it names and that are there.
    pub folders: Vec<String>,
    /// The files that it names.
    pub listed: u64,
    /// Of all these files, how many were looked at.
    pub checked: u64,
    /// Those that are more than declarations of classes, and what they do.
    pub harmful: Vec<(String, String)>,
}

/// An ini file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IniFile {
    /// The path by which PHP finds it.
    pub path: String,
    /// What it links to.
    pub target: Option<String>,
    /// Lines that PHP refuses or ignores.
    pub problems: Vec<FileProblem>,
}

impl Runtime {
    /// A setting as text, or PHP's own default.
    pub fn value<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.settings.get(key).map_or(default, |setting| setting.value.as_str())
    }

    /// A setting of PHP that is on or off (`1`, `on`, `yes`, `true`), or PHP's own default.
    pub fn is_on(&self, key: &str, default: bool) -> bool {
        self.settings.get(key).map_or(default, |setting| {
            ["1", "on", "yes", "true"].iter().any(|word| setting.value.eq_ignore_ascii_case(word))
        })
    }
}

/// What the shared memory of each PHP-FPM holds, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Each master's. All pools of a master share one memory.
    pub caches: Vec<Cache>,
}

/// The shared memory of one PHP-FPM.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cache {
    /// The master's process.
    pub master: u32,
    /// PHP's version, as `8.2`.
    pub version: Option<String>,
    /// The pool that was asked.
    pub pool: String,
    /// What it holds; `None` with the reason beside it.
    pub status: Option<Status>,
    /// Why it could not be asked.
    pub unread: Option<Unread>,
}

/// `opcache_get_status(false)`, and the settings in effect in that process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `opcache_enabled`.
    pub enabled: bool,
    /// `cache_full`.
    pub cache_full: bool,
    /// `memory_usage.used_memory`, in bytes.
    pub used_bytes: u64,
    /// `memory_usage.free_memory`, in bytes.
    pub free_bytes: u64,
    /// `memory_usage.wasted_memory`, in bytes.
    pub wasted_bytes: u64,
    /// `interned_strings_usage.buffer_size`, in bytes.
    pub interned_buffer_bytes: Option<u64>,
    /// `interned_strings_usage.used_memory`, in bytes.
    pub interned_used_bytes: Option<u64>,
    /// `interned_strings_usage.free_memory`, in bytes.
    pub interned_free_bytes: Option<u64>,
    /// `opcache_statistics.num_cached_scripts`.
    pub cached_scripts: u64,
    /// `opcache_statistics.num_cached_keys`.
    pub cached_keys: u64,
    /// `opcache_statistics.max_cached_keys`.
    pub max_cached_keys: u64,
    /// `opcache_statistics.hits`.
    pub hits: u64,
    /// `opcache_statistics.misses`.
    pub misses: u64,
    /// `opcache_statistics.oom_restarts`.
    pub oom_restarts: u64,
    /// `opcache_statistics.hash_restarts`.
    pub hash_restarts: u64,
    /// `opcache_statistics.manual_restarts`.
    pub manual_restarts: u64,
    /// `opcache_statistics.start_time`, in seconds since 1970.
    pub start_unix_s: Option<f64>,
    /// `jit.on`.
    pub jit_on: Option<bool>,
    /// `jit.buffer_size`, in bytes.
    pub jit_buffer_bytes: Option<u64>,
    /// `jit.buffer_free`, in bytes.
    pub jit_free_bytes: Option<u64>,
    /// `preload_statistics.scripts`, how many; `None` without preloading.
    pub preloaded_scripts: Option<u64>,
    /// `preload_statistics.memory_consumption`, in bytes.
    pub preloaded_bytes: Option<u64>,
    /// Settings in effect (`ini_get`), by name: all `opcache.*`, `memory_limit`, `realpath_cache_size`, `max_execution_time`.
    pub settings: BTreeMap<String, String>,
}
