//! The constants of a `wp-config.php` and of the files it includes, secrets left out.

use conf::{PhpCondition, PhpConstant, PhpConstants};
use host::Host;

use super::read::PACKAGE_CONFIGURATION;
use super::{Constant, Site};
use crate::mounts::Mounts;
use crate::php_fpm::FileProblem;

/// Text is kept of these constants only: any other may hold a key under a name nobody foresaw.
const TEXTS: [&str; 20] = [
    "ABSPATH",
    "DB_CHARSET",
    "DB_HOST",
    "DB_NAME",
    "DEBIAN_FILE",
    "FS_METHOD",
    "WPMU_PLUGIN_DIR",
    "WP_AUTO_UPDATE_CORE",
    "WP_CONTENT_DIR",
    "WP_DEBUG_LOG",
    "WP_DEFAULT_THEME",
    "WP_ENVIRONMENT_TYPE",
    "WP_HOME",
    "WP_MAX_MEMORY_LIMIT",
    "WP_MEMORY_LIMIT",
    "WP_PLUGIN_DIR",
    "WP_REDIS_HOST",
    "WP_REDIS_PATH",
    "WP_REDIS_SCHEME",
    "WP_SITEURL",
];

/// Parts of names that say that what they name is nobody's business.
const SECRET: [&str; 9] =
    ["KEY", "SALT", "NONCE", "PASS", "SECRET", "TOKEN", "CREDENTIAL", "AUTH", "LICENSE"];

/// The most files that one configuration may include.
const MOST_FILES: usize = 16;

/// Files of the host, those on network mounts left alone.
pub(super) struct Files<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) mounts: &'a Mounts,
}

impl Files<'_> {
    /// A path without links, if it lies on a local file system.
    pub(super) fn local(&self, path: &str) -> Option<String> {
        let place = self.mounts.follow(self.host, path);
        place.is_local().then_some(place.path)
    }

    /// The bytes of a file that can be read and is local.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.host.read(&self.local(path)?).ok()
    }

    /// The files among which Debian's `wp-config.php` chooses, each with the name it is chosen by.
    pub(super) fn of_the_package(&self, config: &str) -> Vec<(String, String)> {
        let prefix = format!("{PACKAGE_CONFIGURATION}/config-");
        let bytes = self.read(config).unwrap_or_default();
        if !bytes.windows(prefix.len()).any(|window| window == prefix.as_bytes()) {
            return vec![];
        }
        let names = self.local(PACKAGE_CONFIGURATION).and_then(|folder| self.host.list(&folder).ok());
        let named = |file: String| {
            let name = file.strip_prefix("config-")?.strip_suffix(".php")?;
            Some((name.to_owned(), format!("{PACKAGE_CONFIGURATION}/{file}")))
        };
        names.unwrap_or_default().into_iter().filter_map(named).collect()
    }

    /// Reads files one after the other, and what they include where they do. The first definition counts.
    pub(super) fn read_constants<'f>(&self, site: &mut Site, files: impl Iterator<Item = &'f str>) {
        let mut seen = vec![];
        for file in files {
            self.read_file(site, file, false, &mut seen);
        }
    }

    fn read_file(&self, site: &mut Site, file: &str, conditional: bool, seen: &mut Vec<String>) {
        if seen.iter().any(|known| known == file) || seen.len() >= MOST_FILES {
            return;
        }
        seen.push(file.to_owned());
        let Some(bytes) = self.read(file) else { return };
        let document = PhpConstants::new(file, bytes);
        site.problems.extend(document.problems().iter().map(|problem| FileProblem {
            file: file.to_owned(),
            line: line(problem.line),
            what: problem.what.to_owned(),
            stops: problem.stops,
        }));
        let mut includes = document.includes().iter().peekable();
        for constant in document.constants() {
            while let Some(include) = includes.next_if(|one| one.span.start < constant.statement_span.start) {
                self.follow(site, file, include, conditional, seen);
            }
            take(site, file, constant, conditional);
        }
        for include in includes {
            self.follow(site, file, include, conditional, seen);
        }
    }

    fn follow(
        &self,
        site: &mut Site,
        file: &str,
        include: &conf::PhpInclude,
        conditional: bool,
        seen: &mut Vec<String>,
    ) {
        let Some(path) = &include.path else { return };
        let of_the_package = path.starts_with(PACKAGE_CONFIGURATION);
        if path.ends_with("wp-settings.php") || of_the_package {
            return;
        }
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match path.strip_prefix("./") {
            Some(beside) => format!("{folder}/{beside}"),
            None => path.clone(),
        };
        self.read_file(site, &path, conditional || include.conditional, seen);
    }
}

fn take(site: &mut Site, file: &str, constant: &PhpConstant, conditional: bool) {
    let name = constant.name.as_str();
    if SECRET.iter().any(|part| name.to_ascii_uppercase().contains(part)) {
        return;
    }
    let text = matches!(constant.value, Some(conf::PhpLiteral::Text(_)));
    let kept = constant.value.as_ref().filter(|_| !text || TEXTS.contains(&name));
    let value = kept.map(|value| value.text().to_owned()).filter(|value| !value.contains('@'));
    let found = Constant {
        value,
        file: file.to_owned(),
        line: line(constant.line),
        conditional: conditional || constant.condition == PhpCondition::Other,
    };
    match site.constants.get_mut(name) {
        // What only PHP could tell may come first: then the value is not known, whatever comes later.
        Some(known) if known.conditional && known.value != found.value => known.value = None,
        Some(_) => {}
        None => {
            site.constants.insert(name.to_owned(), found);
        }
    }
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}
