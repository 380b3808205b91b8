//! OPcache's table of scripts that is full.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::growth;
use crate::opcache::view::{self, Fpm, STATUS};
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.keys-exhausted",
    title: "OPcache has no place for more scripts",
    explains: &["cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("keys_exhausted.md"),
    test,
};

/// The sizes that the table can have (`prime_numbers` of ext/opcache/zend_accelerator_hash.c).
const SIZES: [u64; 16] = [
    223, 463, 983, 1979, 3907, 7963, 16229, 32531, 65407, 130_987, 262_237, 524_521, 1_048_793, 2_097_397,
    4_194_103, 8_388_857,
];
/// The largest that `opcache.max_accelerated_files` takes.
const MOST: u64 = 1_000_000;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = view::answered(evidence)?;
    let used = |fpm: &&Fpm| fpm.status.cached_keys.saturating_mul(1000) / fpm.status.max_cached_keys.max(1);
    let Some(worst) = all.iter().max_by_key(used) else { return Ok(Outcome::ruled_out(view::NO_FPM)) };
    let status = worst.status;
    let (keys, places) = (status.cached_keys, status.max_cached_keys);
    let version = worst.cache.version.as_deref().unwrap_or_default();
    let line = format!(
        "{}: {keys} of {places} keys taken, {} restarts for want of keys since its start",
        view::name(version),
        status.hash_restarts
    );
    let restarts = growth::since(evidence, worst.cache, |status| status.hash_restarts);
    let files = php_files(evidence);
    let outcome = if keys >= places && places > 0 || restarts.is_some_and(|restarts| restarts > 0) {
        Outcome::confirmed(
            Severity::Limiting,
            format!("{line}; further scripts are compiled at each request"),
        )
    } else if keys.saturating_mul(10) > places.saturating_mul(9) || status.hash_restarts > 0 {
        Outcome::confirmed(Severity::Latent, line)
    } else if let Some(files) = files.filter(|files| files.saturating_mul(6) / 5 > places) {
        Outcome::consistent(Severity::Latent, format!("{line}; the sites have {files} PHP files")).lacks(
            Missing::new(
                "whether all files are ever run",
                "look again when the cache has been warm for a day",
            ),
        )
    } else {
        return Ok(Outcome::ruled_out(line).seen_all(observations(worst)));
    };
    Ok(outcome.seen_all(observations(worst)).remedy(more(worst, files)))
}

/// The PHP files of all sites, where all were counted.
fn php_files(evidence: &Evidence) -> Option<u64> {
    let applications = &facts(&evidence.services.composer).ok()?.applications;
    applications.iter().map(|one| one.php_files).sum::<Option<u64>>().filter(|files| *files > 0)
}

fn observations(fpm: &Fpm) -> [Observation; 4] {
    let status = fpm.status;
    [
        Observation::new(STATUS, "num_cached_keys", status.cached_keys),
        Observation::new(STATUS, "max_cached_keys", status.max_cached_keys),
        Observation::new(STATUS, "num_cached_scripts", status.cached_scripts),
        Observation::new(STATUS, "hash_restarts", status.hash_restarts),
    ]
}

/// A script that is reached by several paths takes several keys, so that keys count as well as files.
fn more(fpm: &Fpm, files: Option<u64>) -> Remedy {
    let status = fpm.status;
    let by_keys = status.cached_keys.saturating_mul(3) / 2;
    let by_files = files.map_or(0, |files| files.saturating_mul(6).div_ceil(5));
    let least = by_keys.max(by_files).max(status.max_cached_keys.saturating_add(1));
    let size = SIZES.into_iter().find(|size| *size >= least).unwrap_or(MOST).min(MOST);
    let target = Derived::new(size, "the next size OPcache has ≥ 1.5 × keys and ≥ 1.2 × PHP files")
        .input("keys", status.cached_keys, STATUS)
        .input(
            "PHP files",
            files.map_or_else(|| "not counted".to_owned(), |files| files.to_string()),
            "the document roots",
        );
    let version = fpm.cache.version.as_deref().unwrap_or_default();
    let key = "opcache.max_accelerated_files";
    let (current, _) = view::setting(Some(status), fpm.runtime, key, "10000");
    let change = view::change(version, fpm.runtime, Some(current), &[(key, size.to_string())], target)
        .coupled_with("opcache.memory_consumption, which the further scripts need as well");
    Remedy::new(
        "Give OPcache places for all scripts",
        "hash_restarts stay 0, num_cached_keys below max_cached_keys",
    )
    .change(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_order() {
        assert!(SIZES.is_sorted());
    }
}
