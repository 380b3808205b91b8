//! The limits of this layer: the memory and the keys of each OPcache.

use model::Station;

use super::{Cache, Status};
use crate::Evidence;

/// Memory and keys of each OPcache that was asked and is on. What they hold does not grow with load, but with the code.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(counters) = evidence.latest(|reading| &reading.opcache) else { return vec![] };
    let caches: Vec<_> = counters
        .caches
        .iter()
        .filter_map(|cache| Some((cache, cache.status.as_ref().filter(|status| status.enabled)?)))
        .collect();
    let version = |cache: &Cache| cache.version.clone().unwrap_or_else(|| "PHP".to_owned());
    let named = |name: &str| caches.iter().filter(|(cache, _)| version(cache) == name).count();
    let each = caches.iter().flat_map(|(cache, status)| {
        let version = version(cache);
        let name = if named(&version) > 1 { format!("{version}/{}", cache.pool) } else { version };
        of_a_cache(&name, status)
    });
    each.collect()
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory and counts of keys")]
fn of_a_cache(name: &str, status: &Status) -> [Station; 2] {
    let taken = status.used_bytes.saturating_add(status.wasted_bytes);
    let station = |what: &str, busy: u64, servers: u64| Station {
        servers: Some(servers as f64),
        busy: Some(busy as f64),
        grows_with_load: false,
        ..Station::new(
            "opcache",
            format!("opcache.{what}:{name}"),
            format!("the {what} of OPcache (PHP-FPM {name})"),
        )
    };
    [
        station("memory", taken, taken.saturating_add(status.free_bytes)),
        station("keys", status.cached_keys, status.max_cached_keys),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcache::Counters;
    use host::Tree;
    use model::Layered;

    fn cache(master: u32, version: Option<&str>, pool: &str) -> Cache {
        let status = Status {
            enabled: true,
            used_bytes: 90,
            free_bytes: 100,
            wasted_bytes: 10,
            cached_keys: 5,
            max_cached_keys: 50,
            ..Status::default()
        };
        let (version, pool) = (version.map(str::to_owned), pool.to_owned());
        Cache { master, version, pool, status: Some(status), unread: None }
    }

    #[test]
    fn every_cache_has_memory_and_keys_under_a_name_of_its_own() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/uptime", "1.0 0.0");
        let mut evidence = crate::reading::read_tree(&tree).unwrap();
        let mut off = cache(4, Some("8.3"), "d");
        off.status = off.status.map(|status| Status { enabled: false, ..status });
        let caches =
            vec![cache(1, Some("8.1"), "a"), cache(2, Some("8.2"), "b"), cache(3, Some("8.2"), "c"), off];
        evidence.readings[0].opcache = Layered::Facts(Box::new(Counters { caches }));
        let found = stations(&evidence);
        let ids: Vec<_> = found.iter().map(|station| station.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "opcache.memory:8.1",
                "opcache.keys:8.1",
                "opcache.memory:8.2/b",
                "opcache.keys:8.2/b",
                "opcache.memory:8.2/c",
                "opcache.keys:8.2/c",
            ]
        );
        assert_eq!((found[0].utilization(), found[1].utilization()), (Some(0.5), Some(0.1)));
        assert_eq!(found[0].saturates_at_times(), None, "more visitors do not fill it");
    }
}
