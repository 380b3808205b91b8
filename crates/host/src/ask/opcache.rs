//! Asks a PHP-FPM pool what OPcache holds, by a script of a few lines.
//!
//! Only a process of the pool can see its shared memory. The script lies below `/run` for the moment that it runs. Its time of
//! modification is 1970: what has no such time OPcache does not keep (`persistent_compile_file` in
//! ext/opcache/ZendAccelerator.c). No setting is sent along: `PHP_VALUE` would stay in the worker.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fastcgi;
use crate::HostError;

/// Gone with the next boot, on memory, and no web root.
const FOLDER: &str = "/run";
const PREFIX: &str = "narrows-asks-";

const SCRIPT: &str = r#"<?php
$out = ['php' => PHP_VERSION, 'status' => null, 'settings' => []];
if (function_exists('opcache_get_status')) {
    $status = @opcache_get_status(false);
    if (is_array($status)) {
        unset($status['scripts']);
        if (isset($status['preload_statistics'])) {
            $status['preload_statistics'] = [
                'scripts' => count($status['preload_statistics']['scripts'] ?? []),
                'memory_consumption' => $status['preload_statistics']['memory_consumption'] ?? 0,
            ];
        }
    }
    $out['status'] = $status;
} else {
    $out['missing'] = extension_loaded('Zend OPcache') ? 'disabled' : 'not loaded';
}
if (function_exists('ini_get_all') && extension_loaded('Zend OPcache')) {
    $out['settings'] = ini_get_all('zend opcache', false) ?: [];
}
if (function_exists('ini_get')) {
    foreach (['memory_limit', 'realpath_cache_size', 'realpath_cache_ttl', 'max_execution_time'] as $name) {
        $out['settings'][$name] = ini_get($name);
    }
}
header('Content-Type: application/json');
echo json_encode($out, JSON_PARTIAL_OUTPUT_ON_ERROR);
"#;

/// The answer of the script, as JSON.
pub(super) fn ask(address: &str) -> Result<Vec<u8>, HostError> {
    if !rustix::process::geteuid().is_root() {
        return Err(HostError::Permission { path: format!("OPcache of the pool at {address}") });
    }
    let script = Script::write(Path::new(FOLDER), SCRIPT)?;
    let path = script.path.display().to_string();
    fastcgi::get(address, &path, "/narrows-opcache.php", "")
}

/// A script that exists as long as this value.
struct Script {
    folder: PathBuf,
    path: PathBuf,
}

impl Script {
    fn write(below: &Path, text: &str) -> Result<Self, HostError> {
        sweep(below);
        let random = std::hash::RandomState::new().build_hasher().finish();
        let folder = below.join(format!("{PREFIX}{}-{random:016x}", std::process::id()));
        let failed = |error: std::io::Error| HostError::from_io(&folder.display().to_string(), &error);
        DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let script = Self { path: folder.join("opcache.php"), folder: folder.clone() };
        script.fill(text).map_err(failed)?;
        Ok(script)
    }

    /// Readable for every user of a pool, whatever the umask.
    fn fill(&self, text: &str) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.set_modified(SystemTime::UNIX_EPOCH)?;
        std::fs::set_permissions(&self.folder, Permissions::from_mode(0o755))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
        std::fs::remove_dir(&self.folder).ok();
    }
}

/// Takes away what a narrows left that was killed while it asked.
fn sweep(below: &Path) {
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        let ended = |pid| !Path::new(&format!("/proc/{pid}")).exists();
        if pid.is_some_and(ended) {
            std::fs::remove_file(entry.path().join("opcache.php")).ok();
            std::fs::remove_dir(entry.path()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_there_for_all_to_read_and_gone_afterwards() {
        let below = tempfile::tempdir().unwrap();
        let script = Script::write(below.path(), "<?php").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&script.path), mode(&script.folder)), (0o644, 0o755));
        assert_eq!(std::fs::metadata(&script.path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        drop(script);
        assert_eq!(std::fs::read_dir(below.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_run_left_is_taken_away_and_nothing_else() {
        let below = tempfile::tempdir().unwrap();
        let left = below.path().join(format!("{PREFIX}4294967295-0"));
        let running = below.path().join(format!("{PREFIX}{}-0", std::process::id()));
        for folder in [&left, &running, &below.path().join("other")] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("opcache.php"), "").unwrap();
        }
        drop(Script::write(below.path(), "").unwrap());
        assert!(!left.exists() && running.exists());
        assert_eq!(std::fs::read_dir(below.path()).unwrap().count(), 2);
    }
}
