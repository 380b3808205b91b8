//! What the causes of this layer share: each PHP-FPM with what its memory holds, its settings, and how they are changed.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Edit, Missing, Observation};

use super::{Cache, Runtime, Status};
use crate::Evidence;
use crate::php_fpm::Setting;
use crate::services::facts;

/// What is said of a host where nothing runs PHP-FPM.
pub(super) const NO_FPM: &str = "no PHP-FPM runs on this host";
/// What is said of a host without any PHP.
pub(super) const NO_PHP: &str = "no PHP is installed on this host";
/// Where the figures of a cache come from.
pub(super) const STATUS: &str = "opcache_get_status";
/// The file that changes go to. Debian's own files stay as they are: `10-opcache.ini` links to the line that loads OPcache.
const OWN_FILE: &str = "99-narrows.ini";
/// Bytes in a MiB, which OPcache's sizes are given in.
pub(super) const MIB: f64 = 1_048_576.0;

/// A PHP-FPM that runs, what its memory holds, and the settings of its files.
pub(super) struct Fpm<'a> {
    pub(super) cache: &'a Cache,
    pub(super) status: &'a Status,
    pub(super) runtime: Option<&'a Runtime>,
}

/// Each PHP-FPM that answered, at the last reading; none where no PHP-FPM runs.
///
/// # Errors
/// When some run and none of them answered.
pub(super) fn answered(evidence: &Evidence) -> Result<Vec<Fpm<'_>>, Missing> {
    let counters = evidence.latest(|reading| &reading.opcache)?;
    let found: Vec<_> = counters.caches.iter().filter_map(|cache| fpm(evidence, cache)).collect();
    if let (true, Some(cache)) = (found.is_empty(), counters.caches.first()) {
        let what = format!("what OPcache of pool {} holds", cache.pool);
        return Err(match &cache.unread {
            Some(unread) => unread.missing(&what),
            None => Missing::new(what, "run narrows as root while the pool has an idle worker"),
        });
    }
    if found.is_empty() && runs_unasked(evidence)? {
        return Err(Missing::new("what OPcache holds", "run narrows as root on the live host"));
    }
    Ok(found)
}

fn fpm<'a>(evidence: &'a Evidence, cache: &'a Cache) -> Option<Fpm<'a>> {
    let runtime = cache.version.as_deref().and_then(|version| runtime(evidence, version));
    Some(Fpm { cache, status: cache.status.as_ref()?, runtime })
}

fn runs_unasked(evidence: &Evidence) -> Result<bool, Missing> {
    Ok(facts(&evidence.services.php_fpm)?.masters.iter().any(|master| master.pid.is_some()))
}

/// The settings of FPM of a version.
pub(super) fn runtime<'a>(evidence: &'a Evidence, version: &str) -> Option<&'a Runtime> {
    let all = &evidence.services.opcache.facts()?.runtimes;
    let of_fpm = || all.iter().filter(|one| one.interface == "fpm");
    of_fpm().find(|one| one.version == version).or_else(|| of_fpm().find(|one| one.version.is_empty()))
}

/// The settings of each PHP-FPM: of those that run, else of all that are installed. None where PHP-FPM is not installed.
///
/// # Errors
/// When the settings or the processes were not read.
pub(super) fn runtimes(evidence: &Evidence) -> Result<Vec<&Runtime>, Missing> {
    let all = &facts(&evidence.services.opcache)?.runtimes;
    let of_fpm: Vec<_> = all.iter().filter(|one| one.interface == "fpm").collect();
    let masters = &facts(&evidence.services.php_fpm)?.masters;
    let runs = |version: &str| {
        let mut running = masters.iter().filter(|master| master.pid.is_some());
        running.any(|master| version.is_empty() || master.version.as_deref() == Some(version))
    };
    let running: Vec<_> = of_fpm.iter().copied().filter(|one| runs(&one.version)).collect();
    Ok(if running.is_empty() { of_fpm } else { running })
}

/// What the running PHP-FPM of a version says of itself, where it was asked.
pub(super) fn status_of<'a>(evidence: &'a Evidence, version: &str) -> Option<&'a Status> {
    let caches = &evidence.latest(|reading| &reading.opcache).ok()?.caches;
    let own = |cache: &&Cache| version.is_empty() || cache.version.as_deref() == Some(version);
    caches.iter().filter(own).find_map(|cache| cache.status.as_ref())
}

/// A setting in effect, and where it is from: what the process says, else the files, else PHP's own default.
pub(super) fn setting(
    status: Option<&Status>,
    runtime: Option<&Runtime>,
    key: &str,
    default: &str,
) -> (String, String) {
    let place = runtime.and_then(|runtime| runtime.settings.get(key)).map(Setting::place);
    let said = status.and_then(|status| status.settings.get(key)).cloned();
    let written = || runtime.map(|runtime| runtime.value(key, default).to_owned());
    let value = said.or_else(written).unwrap_or_else(|| default.to_owned());
    (value, place.unwrap_or_else(|| "PHP's default".to_owned()))
}

/// Whether a value of a setting means on.
pub(super) fn is_on(value: &str) -> bool {
    ["1", "on", "yes", "true"].iter().any(|word| value.trim().eq_ignore_ascii_case(word))
}

/// A setting as an observation.
pub(super) fn seen(key: &str, (value, place): &(String, String)) -> Observation {
    Observation::new(place.clone(), key, value.clone())
}

/// Bytes in MiB, as a person reads them.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
pub(super) fn mib(bytes: u64) -> String {
    format!("{} MiB", number_text((bytes as f64 / MIB * 10.0).round() / 10.0))
}

/// A number of MiB, in whole ones.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "MiB of memory, at least 0")]
pub(super) fn whole_mib(bytes: f64) -> u64 {
    (bytes / MIB).ceil().max(0.0) as u64
}

/// How a person tells one PHP-FPM from another.
pub(super) fn name(version: &str) -> String {
    if version.is_empty() { "PHP-FPM".to_owned() } else { format!("PHP-FPM {version}") }
}

/// Where settings of a version of FPM go: a file of narrows' own, read last, or the file that is read later still and has one of
/// them already.
fn own_file(version: &str, runtime: Option<&Runtime>, keys: &[&str]) -> String {
    let files = || runtime.into_iter().flat_map(|runtime| &runtime.files).map(|file| file.path.as_str());
    let mut folders = files().filter_map(|path| path.rsplit_once('/')).map(|(folder, _)| folder);
    let folder = folders.rfind(|folder| folder.ends_with(".d"));
    let folder = folder.map_or_else(|| format!("/etc/php/{version}/fpm/conf.d"), str::to_owned);
    let own = format!("{folder}/{OWN_FILE}");
    let set = keys.iter().filter_map(|key| Some(runtime?.settings.get(*key)?.file.as_str()));
    let later = set.filter(|file| file.starts_with(&folder) && **file > *own).max();
    later.map_or(own.clone(), str::to_owned)
}

/// A change of settings of one PHP-FPM, the derived one first.
pub(super) fn change(
    version: &str,
    runtime: Option<&Runtime>,
    current: Option<String>,
    settings: &[(&str, String)],
    target: Derived,
) -> Change {
    let keys: Vec<_> = settings.iter().map(|(key, _)| *key).collect();
    let path = own_file(version, runtime, &keys);
    let edit = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
    let ini = |(key, value): &(&str, String)| Edit::Ini {
        section: None,
        key: (*key).to_owned(),
        value: Some(value.clone()),
    };
    let edits = settings.iter().map(ini).collect();
    let owner = keys.first().and_then(|key| Some(runtime?.settings.get(*key)?.place()));
    Change::new(ChangeKind::File { path, edit, edits }, current, target)
        .persists_by("the file itself")
        .owned_by(owner)
        .restarts(&format!(
            "reload of php{version}-fpm, which empties OPcache: all scripts are compiled anew"
        ))
        .risks("a reload ends requests that are in progress unless process_control_timeout is set")
}
