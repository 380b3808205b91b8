//! Finds the code that Nginx leads to. Nothing on a network file system is looked at.

use host::{Host, Kind};
use model::Unread;

use super::{Application, Facts, Profile, autoloader};
use crate::mounts::{Mounts, Place};
use crate::nginx;

/// Where a tree holds profiles.
const PROFILES: &str = "/.narrows/profiles.json";
/// The most applications that are looked at.
const MOST_APPLICATIONS: usize = 32;
/// The most names that are counted in a reading, and how long that may take, in seconds.
const MOST_NAMES: usize = 20_000;
const MOST_S: f64 = 0.3;

/// Reads the code trees.
///
/// # Errors
/// When it is not known what is mounted where, so that nothing may be looked at.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let roots = nginx::document_roots(&nginx::configurations(host));
    let mut facts = Facts { profiles: profiles(host), ..Facts::default() };
    if roots.is_empty() {
        host.list("/proc").map_err(|error| {
            Unread::new(format!("code: {error}"), "run narrows where /proc is that of the host")
        })?;
        return Ok(facts);
    }
    let mounts = Mounts::read(host)?;
    let mut budget = Budget { names: MOST_NAMES, until_s: host.clock().monotonic_s + MOST_S };
    for root in roots.into_iter().take(MOST_APPLICATIONS) {
        let place = mounts.follow(host, &root);
        let application = match place.is_local() {
            true => local(host, &mounts, root, place, &mut budget),
            false => Some(remote(root, place)),
        };
        let known = |one: &Application| facts.applications.iter().any(|other| other.root == one.root);
        facts.applications.extend(application.filter(|one| !known(one)));
    }
    Ok(facts)
}

/// Profiles that lie in a tree, as `narrows check --profile` reads them.
fn profiles(host: &dyn Host) -> Vec<Profile> {
    let bytes = host.read(PROFILES).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn remote(document_root: String, place: Place) -> Application {
    Application { root: place.path, document_root, mount: place.mount, ..Application::default() }
}

/// An application on a file system of this host; `None` where there is no PHP.
fn local(
    host: &dyn Host,
    mounts: &Mounts,
    document_root: String,
    place: Place,
    budget: &mut Budget,
) -> Option<Application> {
    let root = root_of(host, &place.path);
    let mount = mounts.of(&root).cloned();
    let autoloader = autoloader::read(host, &root);
    let (php_files, more_files) = count(host, mounts, &root, budget);
    if php_files == 0 && !more_files && autoloader.is_none() {
        return None;
    }
    let php_files = Some(php_files);
    Some(Application { root, document_root, mount, php_files, more_files, autoloader })
}

/// The folder itself, or the one above where that holds what Composer needs (`public` below an application).
fn root_of(host: &dyn Host, folder: &str) -> String {
    let holds = |folder: &str, file: &str| host.read(&format!("{folder}/{file}")).is_ok();
    let composers = |folder: &str| holds(folder, "composer.json") || holds(folder, AUTOLOADER);
    let above = folder.rsplit_once('/').map(|(above, _)| above).filter(|above| above.len() > 1);
    match above {
        Some(above) if !composers(folder) && composers(above) => above.to_owned(),
        _ => folder.to_owned(),
    }
}

const AUTOLOADER: &str = "vendor/composer/autoload_real.php";

struct Budget {
    names: usize,
    until_s: f64,
}

/// Counts files that end with `.php`, and says whether it stopped early. Links are not followed, and no mount is entered that is
/// not local.
fn count(host: &dyn Host, mounts: &Mounts, root: &str, budget: &mut Budget) -> (u64, bool) {
    let mut folders = vec![root.to_owned()];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        if budget.names == 0 || host.clock().monotonic_s > budget.until_s {
            return (found, true);
        }
        let Ok(entries) = host.list_kinds(&folder) else { continue };
        for entry in entries {
            if budget.names == 0 {
                return (found, true);
            }
            budget.names -= 1;
            let is_php = entry.name.ends_with(".php");
            match entry.kind {
                Kind::File | Kind::Unknown if is_php => found += 1,
                Kind::Folder | Kind::Unknown => {
                    let inside = format!("{folder}/{}", entry.name);
                    let is_local = mounts.of(&inside).is_some_and(|mount| !mount.network);
                    folders.extend(Some(inside).filter(|_| is_local));
                }
                _ => {}
            }
        }
    }
    (found, false)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
