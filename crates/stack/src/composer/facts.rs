//! What is known of the code that PHP runs, and of how classes are found in it.

use model::Unread;
use serde::{Deserialize, Serialize};

/// The code trees of the host, read once per window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each application that a document root of Nginx leads to.
    pub applications: Vec<Application>,
    /// System-call profiles that were given (`narrows check --profile FILE`).
    pub profiles: Vec<Profile>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// An application: a document root, or the folder above it that holds `composer.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Its folder.
    pub root: String,
    /// The document root that leads to it.
    pub document_root: String,
    /// The file system it lies on.
    pub mount: Option<CodeMount>,
    /// Files that end with `.php`. `None` on a network file system, which is not walked.
    pub php_files: Option<u64>,
    /// Whether counting stopped early, so that there are more.
    pub more_files: bool,
    /// Composer's autoloader, where `vendor` has one.
    pub autoloader: Option<Autoloader>,
}

/// The file system that code lies on, from `/proc/self/mountinfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeMount {
    /// Where it is mounted.
    pub mount_point: String,
    /// Its type, such as `ext4`, `overlay` or `nfs4`.
    pub filesystem: String,
    /// Its options, of the mount and of the file system.
    pub options: String,
    /// Whether another machine answers for it.
    pub network: bool,
}

/// The autoloader that Composer wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Autoloader {
    /// `vendor/composer/autoload_real.php`, by its full path.
    pub file: String,
    /// Whether unknown classes are looked for in no folder (`setClassMapAuthoritative(true)`).
    pub authoritative: bool,
    /// The prefix of APCu's keys, where lookups are kept there (`setApcuPrefix`).
    pub apcu: bool,
    /// Classes in the map (`autoload_classmap.php`).
    pub mapped_classes: u64,
    /// Prefixes of PSR-4.
    pub psr4_prefixes: u64,
    /// Folders in which a class of such a prefix may lie, over all prefixes.
    pub psr4_folders: u64,
    /// Folders in which any class may lie (fallbacks).
    pub fallback_folders: u64,
}

/// Counts of system calls of PHP workers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Where it comes from: `narrows profile`, `strace -c`, `perf script`, and the file.
    pub source: String,
    /// How long it lasted, in seconds, where that is known.
    pub seconds: Option<f64>,
    /// Requests served meanwhile, where that is known.
    pub requests: Option<u64>,
    /// Each system call, the most time first.
    pub calls: Vec<CallCount>,
    /// Calls that failed with ENOENT, by the folder that was asked for, most first.
    pub missing_below: Vec<PathCount>,
    /// Calls that name a path, in all: `stat`, `access`, `open` and their kin.
    pub path_calls: u64,
    /// Of these, those that failed with ENOENT.
    pub path_missing: u64,
}

/// How often a system call was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallCount {
    /// Its name.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Seconds in it, in all, where they were measured.
    pub seconds: Option<f64>,
}

/// How often something below a folder was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathCount {
    /// The folder.
    pub folder: String,
    /// Calls.
    pub calls: u64,
}
