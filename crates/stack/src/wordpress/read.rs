//! Finds WordPress below the document roots of Nginx, and reads what its files say. Nothing on a network mount is touched,
//! and nothing is run.

use host::Host;
use model::Unread;

use super::constants::Files;
use super::{Facts, Site};
use crate::mounts::Mounts;
use crate::nginx;

/// Where Debian's package puts it.
const PACKAGE: &str = "/usr/share/wordpress";

/// Where Debian's package looks for the configuration of each host name.
pub(super) const PACKAGE_CONFIGURATION: &str = "/etc/wordpress";

/// Folders below a document root in which people put WordPress apart from their own files.
const FOLDERS: [&str; 5] = ["wordpress", "wp", "blog", "core", "cms"];

/// The most sites that are read. Hosters have more; what is said of these holds for them too.
const MOST_SITES: usize = 200;

/// Files that take the place of a part of WordPress (`_get_dropins()` of WordPress).
const DROP_INS: [&str; 7] = [
    "advanced-cache.php",
    "db.php",
    "db-error.php",
    "fatal-error-handler.php",
    "maintenance.php",
    "object-cache.php",
    "sunrise.php",
];

/// Reads the layer.
///
/// # Errors
/// When what is mounted where cannot be read, so that no site may be looked at.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut roots = nginx::document_roots(&nginx::configurations(host));
    roots.push(PACKAGE.to_owned());
    read_below(host, &roots)
}

/// Reads the sites below these document roots.
pub(super) fn read_below(host: &dyn Host, roots: &[String]) -> Result<Facts, Unread> {
    let mounts = Mounts::read(host)?;
    let files = Files { host, mounts: &mounts };
    let mut facts = Facts::default();
    let mut folders: Vec<(String, &String)> = vec![];
    for root in roots {
        for folder in homes(&files, root, &mut facts.unread) {
            if !folders.iter().any(|(known, _)| *known == folder) {
                folders.push((folder, root));
            }
        }
    }
    for (folder, root) in folders {
        if facts.sites.len() >= MOST_SITES {
            let why =
                format!("there are more than {MOST_SITES} sites; {folder} and those after it were not read");
            facts.unread.push(Unread::new(why, "nothing: what is said of the others holds for them too"));
            break;
        }
        sites(&files, &folder, root, &mut facts);
    }
    Ok(facts)
}

/// The folders below a document root that hold `wp-load.php`.
fn homes(files: &Files<'_>, root: &str, unread: &mut Vec<Unread>) -> Vec<String> {
    let place = files.mounts.follow(files.host, root);
    if !place.is_local() {
        let on = place.mount.map_or_else(|| "an unknown file system".to_owned(), |mount| mount.filesystem);
        let why = format!("{root} lies on {on} ({}), and such a file system is not touched", place.path);
        unread
            .push(Unread::new(why, "serve code from a local file system, or run narrows where it is local"));
        return vec![];
    }
    let Ok(names) = files.host.list(&place.path) else { return vec![] };
    let has = |names: &[String]| names.iter().any(|name| name == "wp-load.php");
    if has(&names) {
        return vec![place.path];
    }
    let inside = FOLDERS.iter().filter(|folder| names.iter().any(|name| name == *folder));
    let inside = inside.filter_map(|folder| files.local(&format!("{}/{folder}", place.path)));
    inside.filter(|folder| files.host.list(folder).is_ok_and(|names| has(&names))).collect()
}

/// The site of a folder; several where Debian's package chooses the configuration by the host's name.
fn sites(files: &Files<'_>, root: &str, document_root: &str, facts: &mut Facts) {
    let own = Site {
        root: root.to_owned(),
        document_root: document_root.to_owned(),
        version: version(files, root),
        ..Site::default()
    };
    let Some(config) = configuration(files, root) else {
        facts.sites.push(own);
        return;
    };
    let chosen = files.of_the_package(&config);
    if chosen.is_empty() {
        facts.sites.push(site(files, own, &config, None));
        return;
    }
    for (name, file) in chosen {
        let named = Site { name: Some(name), ..own.clone() };
        facts.sites.push(site(files, named, &config, Some(&file)));
    }
}

fn site(files: &Files<'_>, mut site: Site, config: &str, chosen: Option<&str>) -> Site {
    files.read_constants(&mut site, chosen.into_iter().chain([config]));
    site.config_file = Some(chosen.unwrap_or(config).to_owned());
    let content = site.constants.get("WP_CONTENT_DIR").and_then(|constant| constant.value.clone());
    let content = content.unwrap_or_else(|| format!("{}/wp-content", site.root));
    let names = |folder: &str| {
        let place = files.local(&format!("{content}{folder}"));
        place.and_then(|place| files.host.list(&place).ok()).unwrap_or_default()
    };
    let is_plugin = |name: &String| name != "index.php" && !name.starts_with('.');
    site.plugins = names("/plugins").into_iter().filter(is_plugin).collect();
    let always = names("/mu-plugins").into_iter().filter(is_plugin);
    site.plugins.extend(always.map(|name| format!("mu-plugins/{name}")));
    site.drop_ins = names("").into_iter().filter(|name| DROP_INS.contains(&name.as_str())).collect();
    site
}

/// `wp-config.php` of the folder, or else of the one above unless that is another WordPress (`wp-load.php`).
fn configuration(files: &Files<'_>, root: &str) -> Option<String> {
    let own = format!("{root}/wp-config.php");
    if files.read(&own).is_some() {
        return Some(own);
    }
    let above = root.rsplit_once('/').map(|(above, _)| above)?;
    let file = format!("{above}/wp-config.php");
    let another = files.read(&format!("{above}/wp-settings.php")).is_some();
    (!another && files.read(&file).is_some()).then_some(file)
}

/// `$wp_version = '6.1.9';`
fn version(files: &Files<'_>, root: &str) -> Option<String> {
    let bytes = files.read(&format!("{root}/wp-includes/version.php"))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("$wp_version"))?;
    let value = line.trim_start().strip_prefix('=')?.trim().trim_end_matches(';').trim();
    let value = value.trim_matches(['\'', '"']);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    (!value.is_empty() && value.len() < 40 && value.bytes().all(plain)).then(|| value.to_owned())
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
