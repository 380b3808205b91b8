use host::Tree;
use host::kernel::{Family, Listener};
use model::Station;

use crate::php_fpm::{Counters, Facts, Master, Mode, Pool, PoolCounters, Status};
use crate::quantiles::Quantiles;
use crate::samples::{AcceptPool, ListenerDepth};
use crate::{Evidence, diagnose};
use model::Layered;

const SOCKET: &str = "/run/php/www.sock";

/// A static pool of 40 workers, 10 of them busy, on a host with 4 CPUs that are a quarter in use.
fn evidence() -> Evidence {
    let mut tree = Tree::in_memory(2);
    for (instant, uptime, idle) in [(0, "100.0 1.0", 0), (1, "110.0 1.0", 3000)] {
        tree.put(instant, "/proc/uptime", uptime);
        let busy = instant * 1000;
        let cpus: String =
            (0..4).map(|cpu| format!("cpu{cpu} {} 0 0 {} 0 0 0 0 0 0\n", busy / 4, idle / 4)).collect();
        tree.put(instant, "/proc/stat", format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n{cpus}"));
        tree.put(
            instant,
            "/proc/meminfo",
            "MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\nMemFree: 6291456 kB\n",
        );
    }
    let mut evidence = crate::reading::read_tree(&tree).unwrap();
    let local = SOCKET.to_owned();
    let listener = Listener {
        family: Family::Unix,
        local: local.clone(),
        port: None,
        inode: 7,
        waiting: 0,
        backlog: Some(511),
    };
    for reading in &mut evidence.readings {
        let sockets = crate::sockets::Facts { listeners: Some(vec![listener.clone()]), ..Default::default() };
        reading.sockets = Layered::Facts(Box::new(sockets));
    }
    let command = "php-fpm8.2".to_owned();
    evidence.samples.pools = vec![AcceptPool { command, inode: 7, workers: 40, busy: 10.0, full_share: 0.0 }];
    evidence.samples.listener_passes = 10;
    let depth = ListenerDepth {
        family: Family::Unix,
        local,
        backlog: Some(511),
        most: 3,
        mean: 0.5,
        full_share: 0.0,
        times_full: 0,
    };
    evidence.samples.listeners = vec![depth];
    let pool = Pool {
        name: "www".to_owned(),
        listen: SOCKET.to_owned(),
        mode: Mode::Static,
        max_children: Some(40),
        ..Pool::default()
    };
    let master =
        Master { pid: Some(10), version: Some("8.2".to_owned()), pools: vec![pool], ..Master::default() };
    evidence.services.php_fpm = Layered::Facts(Box::new(Facts { masters: vec![master], ..Facts::default() }));
    evidence
}

/// Counters at both ends: so many requests between, and so many ticks of CPU time.
fn count(evidence: &mut Evidence, requests: u64, ticks: u64) {
    for (instant, reading) in (0_u64..).zip(&mut evidence.readings) {
        let status = Status { accepted: 5 + instant * requests, ..Status::default() };
        let counters = PoolCounters {
            master: 10,
            pool: "www".to_owned(),
            workers: 40,
            cpu_ticks: [(11, instant * ticks)].into(),
            status: Some(status),
            status_unread: None,
        };
        reading.php_fpm = Layered::Facts(Box::new(Counters { pools: vec![counters] }));
    }
}

fn measure(evidence: &mut Evidence, private: f64) {
    let Layered::Facts(facts) = &mut evidence.services.php_fpm else { return };
    facts.masters[0].pools[0].private_bytes = Quantiles::of(&mut [private]);
}

fn of_pool(evidence: &Evidence) -> Station {
    let found = super::stations(evidence);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_pool_is_a_station_with_what_it_takes_and_what_waits() {
    let mut evidence = evidence();
    count(&mut evidence, 1001, 100);
    let station = of_pool(&evidence);
    assert_eq!(station.id, "php-fpm.workers:www");
    assert_eq!((station.servers, station.busy, station.waiting), (Some(40.0), Some(10.0), Some(0.5)));
    assert_eq!((station.arrivals_per_s, station.service_s), (Some(100.0), Some(0.1)));
    assert_eq!((station.queue, station.saturates_at_times()), (Some(512.0), Some(4.0)));
    assert!(station.what.contains("pm.max_children binds"), "{}", station.what);
}

#[test]
fn the_least_of_memory_cpu_and_configuration_binds() {
    let mut by_cpu = evidence();
    count(&mut by_cpu, 0, 2500);
    let station = of_pool(&by_cpu);
    assert_eq!(station.servers, Some(16.0), "10 busy workers take 2.5 of 4 CPUs");
    assert!(station.what.contains("CPU time, below pm.max_children 40, binds"), "{}", station.what);

    let mut by_memory = evidence();
    let Layered::Facts(facts) = &mut by_memory.services.php_fpm else { panic!("facts") };
    facts.masters[0].pools[0].max_children = Some(400);
    count(&mut by_memory, 0, 0);
    measure(&mut by_memory, f64::from(64 << 20));
    let station = of_pool(&by_memory);
    assert_eq!(station.servers, Some(116.0), "(6144 − 1228.8 + 40 × 64) / 64 MiB");
    assert!(station.what.contains("memory, below pm.max_children 400, binds"), "{}", station.what);

    measure(&mut by_memory, f64::from(1 << 30));
    assert_eq!(of_pool(&by_memory).servers, Some(44.0), "the workers that are there have their memory");
}

#[test]
fn an_idle_pool_is_no_station_and_workers_are_listed_once() {
    let mut evidence = evidence();
    let ids = |evidence: &Evidence| -> Vec<String> {
        let stations = diagnose(evidence).stations;
        stations
            .into_iter()
            .map(|station| station.id)
            .filter(|id| id.contains("pool") || id.contains("workers"))
            .collect()
    };
    assert_eq!(ids(&evidence), ["php-fpm.workers:www"]);
    evidence.services = crate::services::Services::default();
    assert_eq!(ids(&evidence), [format!("sockets.accept-pool:{SOCKET}")]);
    let mut idle = self::evidence();
    idle.samples.pools[0].busy = 0.0;
    idle.samples.listeners[0].mean = 0.0;
    assert_eq!(super::stations(&idle), []);
}
