//! Finds each PHP of the host and reads its ini files as PHP does: php.ini first, then those of its folder by name.

use conf::{Problem, SettingsDialect, SettingsDocument};
use host::{Host, HostError};
use model::Unread;

use super::{Facts, IniFile, PreloadScript, Runtime, preload_script};
use crate::mounts::Mounts;
use crate::php_fpm::{FileProblem, Setting};

/// Where Debian and those who package for it keep the settings of each version: `/etc/php/8.2/fpm/php.ini`.
const DEBIAN: &str = "/etc/php";
/// Where PHP's own build and its container images keep them: all ways of running it share one php.ini.
const OWN_BUILD: &str = "/usr/local/etc/php";
/// Where its headers tell the version of such a build.
const OWN_VERSION: &str = "/usr/local/include/php/main/php_version.h";
/// Red Hat's php.ini, and the folder beside it.
const RED_HAT: (&str, &str) = ("/etc/php.ini", "/etc/php.d");

/// The most versions, and the most ini files of one, that are read.
const MOST_VERSIONS: usize = 16;
const MOST_FILES: usize = 128;
/// php.ini is 70 KiB, nearly all of it comments.
const MOST_BYTES: usize = 1 << 20;

/// The settings that are kept; all others stay on the host, as they may hold secrets.
const KEPT: [&str; 10] = [
    "zend_extension",
    "memory_limit",
    "max_execution_time",
    "auto_prepend_file",
    "auto_append_file",
    "open_basedir",
    "disable_functions",
    "session.auto_start",
    "apc.",
    "opcache.",
];
const KEPT_START: &str = "realpath_cache_";

/// From this version on OPcache is part of PHP itself and loaded by no line (RFC "Make OPcache a non-optional part of PHP").
const BUILT_IN_SINCE: (u32, u32) = (8, 5);

/// One PHP, before its files were read.
struct Place {
    version: String,
    interface: String,
    main: String,
    folder: String,
}

/// Reads every PHP there is.
pub(super) fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let places = places(host)?;
    let mut facts = Facts::default();
    for place in places {
        let runtime = runtime(host, &place, &mut facts.unread);
        facts.runtimes.extend(runtime);
    }
    read_preload_scripts(host, &mut facts);
    Ok(facts)
}

/// Reads each script that is preloaded once, whoever preloads it.
fn read_preload_scripts(host: &dyn Host, facts: &mut Facts) {
    let mut read: Vec<PreloadScript> = Vec::new();
    let mut mounts = None;
    for runtime in &mut facts.runtimes {
        let Some(setting) = runtime.settings.get("opcache.preload").filter(|one| one.value.starts_with('/'))
        else {
            continue;
        };
        let known = read.iter().find(|script| script.file == setting.value).cloned();
        let script = known.unwrap_or_else(|| {
            let mounts = mounts.get_or_insert_with(|| Mounts::read(host).unwrap_or_default());
            preload_script::read(host, mounts, &setting.value)
        });
        read.push(script.clone());
        runtime.preload = Some(script);
    }
}

fn places(host: &dyn Host) -> Result<Vec<Place>, Unread> {
    let mut places = Vec::new();
    let versions = present(host.list(DEBIAN), DEBIAN)?.unwrap_or_default();
    for version in versions.into_iter().filter(|name| is_version(name)).take(MOST_VERSIONS) {
        let folder = format!("{DEBIAN}/{version}");
        let interfaces = present(host.list(&folder), &folder)?.unwrap_or_default();
        for interface in interfaces.into_iter().filter(|name| name != "mods-available").take(MOST_VERSIONS) {
            let folder = format!("{folder}/{interface}");
            places.push(Place {
                version: version.clone(),
                interface,
                main: format!("{folder}/php.ini"),
                folder: format!("{folder}/conf.d"),
            });
        }
    }
    if present(host.list(OWN_BUILD), OWN_BUILD)?.is_some() {
        let version = host.value(OWN_VERSION).ok().and_then(|header| header_version(&header));
        let place = |interface: &str| Place {
            version: version.clone().unwrap_or_default(),
            interface: interface.to_owned(),
            main: format!("{OWN_BUILD}/php.ini"),
            folder: format!("{OWN_BUILD}/conf.d"),
        };
        places.extend(["fpm", "cli"].map(place));
    } else if places.is_empty() && host.read(RED_HAT.0).is_ok() {
        let place = |interface: &str| Place {
            version: String::new(),
            interface: interface.to_owned(),
            main: RED_HAT.0.to_owned(),
            folder: RED_HAT.1.to_owned(),
        };
        places.extend(["fpm", "cli"].map(place));
    }
    Ok(places)
}

/// What there is; `None` where there is none.
fn present<T>(answer: Result<T, HostError>, path: &str) -> Result<Option<T>, Unread> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(HostError::NotFound { .. }) => Ok(None),
        Err(error) => Err(unread(path, &error)),
    }
}

fn unread(path: &str, error: &HostError) -> Unread {
    Unread::new(format!("{path}: {error}"), format!("run narrows as root, and look whether {path} answers"))
}

fn is_version(name: &str) -> bool {
    numbers(name).is_some()
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `8.2` of `#define PHP_VERSION "8.2.29"`.
fn header_version(header: &str) -> Option<String> {
    let line = header.lines().find(|line| line.contains("PHP_VERSION \""))?;
    let mut parts = line.split('"').nth(1)?.split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

/// What the files of one PHP say so far.
#[derive(Default)]
struct Gathered {
    runtime: Runtime,
    loads: bool,
    incomplete: bool,
}

/// Reads one ini file, where there is one.
fn read_file(host: &dyn Host, path: &str, gathered: &mut Gathered, unread_files: &mut Vec<Unread>) {
    match host.read(path) {
        Ok(bytes) if bytes.len() <= MOST_BYTES => {
            let target = host.link(path).ok();
            gathered.add(path, target, bytes);
        }
        Ok(_) => {
            let why = format!("{path} is larger than 1 MiB");
            gathered.leave(unread_files, Unread::new(why, "ini files of PHP are a few KiB: look what it is"));
        }
        // A link whose target is gone, which PHP skips, or no file at all.
        Err(HostError::NotFound { .. }) => {
            if let Ok(target) = host.link(path) {
                gathered.dangling(path, target);
            }
        }
        Err(error) => gathered.leave(unread_files, unread(path, &error)),
    }
}

/// Reads the files of one PHP; `None` where it has none.
fn runtime(host: &dyn Host, place: &Place, unread_files: &mut Vec<Unread>) -> Option<Runtime> {
    let mut gathered = Gathered::default();
    read_file(host, &place.main, &mut gathered, unread_files);
    let names = host.list(&place.folder).unwrap_or_default();
    for name in names.iter().filter(|name| name.ends_with(".ini")).take(MOST_FILES) {
        read_file(host, &format!("{}/{name}", place.folder), &mut gathered, unread_files);
    }
    let built_in = numbers(&place.version).is_some_and(|version| version >= BUILT_IN_SINCE);
    let Gathered { mut runtime, loads, incomplete } = gathered;
    if runtime.files.is_empty() && !incomplete {
        return None;
    }
    runtime.version.clone_from(&place.version);
    runtime.interface.clone_from(&place.interface);
    runtime.loaded = match (loads || built_in, incomplete) {
        (true, _) => Some(true),
        (false, false) => Some(false),
        (false, true) => None,
    };
    Some(runtime)
}

impl Gathered {
    fn leave(&mut self, unread_files: &mut Vec<Unread>, unread: Unread) {
        unread_files.push(unread);
        self.incomplete = true;
    }

    fn dangling(&mut self, path: &str, target: String) {
        let what = format!("its target {target} does not exist");
        let problem = FileProblem { file: path.to_owned(), line: 0, what, stops: true };
        self.runtime.files.push(IniFile {
            path: path.to_owned(),
            target: Some(target),
            problems: vec![problem],
        });
    }

    fn add(&mut self, path: &str, target: Option<String>, bytes: Vec<u8>) {
        let document = SettingsDocument::new(path, bytes, SettingsDialect::Ini);
        for setting in document.settings().iter().filter(|setting| is_general(setting.section.as_deref())) {
            let key = String::from_utf8_lossy(&setting.key).into_owned();
            let value = String::from_utf8_lossy(&setting.value).into_owned();
            self.loads |= key == "zend_extension" && names_opcache(&value);
            if is_kept(&key) {
                let line = u32::try_from(setting.line).unwrap_or(u32::MAX);
                self.runtime.settings.insert(key, Setting { value, file: path.to_owned(), line });
            }
        }
        let problems = document.problems().iter().filter(|problem| concerns_php(problem)).map(told);
        self.runtime.files.push(IniFile { path: path.to_owned(), target, problems: problems.collect() });
    }
}

/// Settings below `[HOST=…]` and `[PATH=…]` hold for some requests only; all other sections are titles.
fn is_general(section: Option<&[u8]>) -> bool {
    let special = |name: &[u8]| {
        let upper = name.to_ascii_uppercase();
        upper.starts_with(b"HOST=") || upper.starts_with(b"PATH=")
    };
    section.is_none_or(|name| !special(name))
}

pub(super) fn is_kept(key: &str) -> bool {
    key.starts_with(KEPT_START)
        || KEPT.iter().any(|kept| if kept.ends_with('.') { key.starts_with(kept) } else { key == *kept })
}

/// Whether a `zend_extension` is OPcache: `opcache`, `opcache.so`, or a path that ends so.
fn names_opcache(value: &str) -> bool {
    let name = value.rsplit('/').next().unwrap_or(value);
    matches!(name.trim(), "opcache" | "opcache.so" | "php_opcache.dll")
}

/// A line without `=` matters to pools of FPM; in php.ini only what ends reading and `#` do.
fn concerns_php(problem: &Problem) -> bool {
    problem.stops || problem.what.starts_with("`#`")
}

fn told(problem: &Problem) -> FileProblem {
    FileProblem {
        file: problem.file.to_string(),
        line: u32::try_from(problem.line).unwrap_or(u32::MAX),
        what: problem.what.to_owned(),
        stops: problem.stops,
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn debian(files: &[(&str, &str)]) -> Facts {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/etc/php/8.2/mods-available/opcache.ini", "zend_extension=opcache.so\n");
        for (path, text) in files {
            tree.put(0, path, *text);
        }
        read(&tree.at(0)).unwrap()
    }

    #[test]
    fn the_last_line_counts_php_ini_first_and_then_the_folder_by_name() {
        let facts = debian(&[
            ("/etc/php/8.2/fpm/php.ini", "[PHP]\nmemory_limit = 128M\n[opcache]\n;opcache.enable=1\n"),
            ("/etc/php/8.2/fpm/conf.d/10-opcache.ini", "zend_extension=opcache.so\nopcache.jit=off\n"),
            ("/etc/php/8.2/fpm/conf.d/99-own.ini", "opcache.memory_consumption=256\nopcache.jit=tracing\n"),
            ("/etc/php/8.2/fpm/conf.d/99-own.ini.dpkg-old", "opcache.memory_consumption=1\n"),
            ("/etc/php/8.2/cli/php.ini", "memory_limit = -1\n"),
        ]);
        let [cli, fpm] = &facts.runtimes[..] else { panic!("{facts:?}") };
        assert_eq!((cli.interface.as_str(), cli.loaded), ("cli", Some(false)));
        assert_eq!((fpm.interface.as_str(), fpm.version.as_str(), fpm.loaded), ("fpm", "8.2", Some(true)));
        assert_eq!(fpm.settings["opcache.jit"].place(), "/etc/php/8.2/fpm/conf.d/99-own.ini:2");
        assert_eq!(fpm.value("opcache.memory_consumption", "128"), "256");
        assert_eq!(fpm.value("memory_limit", ""), "128M");
        assert_eq!(fpm.files.len(), 3);
    }

    #[test]
    fn a_hash_is_no_comment_and_a_bracket_behind_it_ends_the_file() {
        let text = "zend_extension=opcache.so\n# plain words\nopcache.enable=1\n# JIT (PHP 8+)\nopcache.jit_buffer_size=256M\n";
        let facts = debian(&[("/etc/php/8.2/fpm/conf.d/10-opcache.ini", text)]);
        let runtime = &facts.runtimes[0];
        assert!(runtime.is_on("opcache.enable", false));
        assert_eq!(runtime.settings.get("opcache.jit_buffer_size"), None);
        let problems: Vec<_> = runtime.files[0].problems.iter().map(|p| (p.line, p.stops)).collect();
        assert_eq!(problems, [(2, false), (4, false), (4, true)]);
    }

    #[test]
    fn what_may_hold_secrets_stays_on_the_host() {
        let text =
            "mysqli.default_pw = swordfish\nsmtp_port = 25\nrealpath_cache_size=4096K\napc.shm_size=64M\n";
        let facts = debian(&[("/etc/php/8.2/fpm/php.ini", text)]);
        let kept: Vec<_> = facts.runtimes[0].settings.keys().map(String::as_str).collect();
        assert_eq!(kept, ["apc.shm_size", "realpath_cache_size"]);
    }

    #[test]
    fn a_link_whose_target_is_gone_loads_nothing() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/etc/php/8.2/fpm/php.ini", "memory_limit=1G\n");
        let link = "/etc/php/8.2/fpm/conf.d/10-opcache.ini";
        tree.put(0, "/etc/php/8.2/fpm/conf.d/README", "");
        tree.put(
            0,
            "/.narrows/symlinks.json",
            format!("{{\"{link}\": \"/etc/php/8.2/mods-available/opcache.ini\"}}"),
        );
        let mut gathered = Gathered::default();
        read_file(&tree.at(0), link, &mut gathered, &mut vec![]);
        assert!(!gathered.loads && !gathered.incomplete && gathered.runtime.files[0].problems[0].stops);
        tree.put_link(0, link, "/etc/php/8.2/mods-available/opcache.ini");
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.runtimes[0].loaded, facts.unread.len()), (None, 1));
    }

    #[test]
    fn container_images_share_one_folder_and_newer_versions_load_opcache_themselves() {
        let mut tree = Tree::in_memory(1);
        tree.put(
            0,
            "/usr/local/etc/php/conf.d/own.ini",
            "opcache.enable=0\n[HOST=a.example]\nopcache.enable=1\n",
        );
        tree.put(0, OWN_VERSION, "#define PHP_MAJOR_VERSION 8\n#define PHP_VERSION \"8.5.1\"\n");
        let facts = read(&tree.at(0)).unwrap();
        let shown = facts.runtimes.iter().map(|r| (r.interface.as_str(), r.version.as_str(), r.loaded));
        assert_eq!(shown.collect::<Vec<_>>(), [("fpm", "8.5", Some(true)), ("cli", "8.5", Some(true))]);
        assert!(!facts.runtimes[0].is_on("opcache.enable", true));
        assert_eq!(read(&Tree::in_memory(1).at(0)).unwrap(), Facts::default());
    }
}
