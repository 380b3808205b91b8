//! Pools that may have more workers than memory holds.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::sizing::{bytes, group_limit};
use crate::php_fpm::verdicts::{self, combine};
use crate::php_fpm::view::{View, pools};
use crate::php_fpm::{edits, sizing::bytes_of};
use crate::remedies::together;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.memory-overcommitted",
    title: "PHP-FPM may start more workers than memory holds",
    explains: &["memory.near-limit", "memory.pressure", "memory.swapping"],
    refutes: &[],
    document: include_str!("memory_overcommitted.md"),
    test,
};

/// `memory_limit` of PHP where nobody sets it.
const MEMORY_LIMIT: &str = "128M";
/// This share of memory stays free when pools are made smaller.
const FREE_SHARE: f64 = 0.15;

/// What shares a limit: all pools of the host, or those of one control group.
struct Shared<'a> {
    /// `the host`, or the control group's path.
    place: String,
    source: &'static str,
    /// Bytes that the pools may take in all: what is free, and what they have.
    free: f64,
    /// Bytes of memory, and of swap space where it may be used.
    total: f64,
    pools: Vec<View<'a>>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let running: Vec<_> = pools(evidence)?.into_iter().filter(View::runs).collect();
    if running.is_empty() {
        return verdicts::nobody(evidence);
    }
    if let Some(view) = running.iter().find(|view| view.pool.private_bytes.is_none() && view.workers() > 0) {
        return Err(Missing::new(
            format!("private memory of the workers of {}", view.name()),
            "run narrows as root: /proc/PID/smaps_rollup is its owner's (RSS alone counts shared pages many times)",
        ));
    }
    let mut found = vec![of_host(evidence, &running).map(|shared| judge(&shared))];
    found.extend(of_groups(&running).iter().map(|shared| Ok(judge(shared))));
    combine(found)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn of_host<'a>(evidence: &'a Evidence, running: &[View<'a>]) -> Result<Shared<'a>, Missing> {
    let meminfo = &evidence.latest(|reading| &reading.memory)?.meminfo;
    let read = |name: &str| {
        let missing = || Missing::new(format!("/proc/meminfo {name}"), "mount /proc");
        meminfo.get(name).map(|bytes| *bytes as f64).ok_or_else(missing)
    };
    let own: f64 = running.iter().map(own).sum();
    let swap = read("SwapTotal").unwrap_or(0.0);
    let free = read("MemAvailable")? + own;
    let (total, source) = (read("MemTotal")? + swap, "/proc/meminfo MemAvailable");
    Ok(Shared { place: "the host".to_owned(), source, free, total, pools: running.to_vec() })
}

fn of_groups<'a>(running: &[View<'a>]) -> Vec<Shared<'a>> {
    let mut groups: Vec<Shared<'a>> = vec![];
    for view in running {
        let Some((path, (limit, used))) = view.master.control_group.as_ref().zip(group_limit(view)) else {
            continue;
        };
        let place = format!("control group {path}");
        match groups.iter_mut().find(|group| group.place == place) {
            Some(group) => {
                group.free += own(view);
                group.pools.push(*view);
            }
            None => groups.push(Shared {
                place,
                source: "memory.max − memory.current",
                free: (limit - used).max(0.0) + own(view),
                total: limit,
                pools: vec![*view],
            }),
        }
    }
    groups
}

/// What the workers of a pool have now that they share with nobody, in bytes.
fn own(view: &View<'_>) -> f64 {
    view.pool.private_bytes.map_or(0.0, |each| each.mean * f64::from(view.workers()))
}

/// What a pool takes with all its workers, in bytes.
fn at_most(view: &View<'_>) -> f64 {
    view.pool.private_bytes.map_or(0.0, |each| each.p95 * f64::from(view.most()))
}

fn memory_limit(view: &View<'_>) -> Option<f64> {
    let of_pool = ["php_admin_value[memory_limit]", "php_value[memory_limit]"]
        .iter()
        .find_map(|key| view.pool.value(key));
    let of_php = || {
        let runtimes = &services::facts(&view.evidence.services.opcache).ok()?.runtimes;
        let own = |one: &&crate::opcache::Runtime| {
            one.interface == "fpm" && Some(&one.version) == view.master.version.as_ref()
        };
        runtimes.iter().find(own)?.settings.get("memory_limit").map(|setting| setting.value.as_str())
    };
    bytes_of(of_pool.or_else(of_php).unwrap_or(MEMORY_LIMIT))
}

fn judge(shared: &Shared<'_>) -> Outcome {
    let wanted: f64 = shared.pools.iter().map(at_most).sum();
    let each = shared.pools.iter().map(|view| {
        let p95 = view.pool.private_bytes.map_or(0.0, |each| each.p95);
        format!("{} {} × {}", view.name(), view.most(), bytes(p95))
    });
    let each = each.collect::<Vec<_>>().join(" + ");
    let line = format!("{each} = {}, {} has {} for them", bytes(wanted), shared.place, bytes(shared.free));
    let worst: Option<f64> =
        shared.pools.iter().map(|view| Some(memory_limit(view)? * f64::from(view.most()))).sum();
    let outcome = if wanted > shared.free {
        Outcome::confirmed(Severity::Latent, line).remedy(smaller(shared, wanted))
    } else {
        match worst.filter(|worst| *worst > shared.total) {
            Some(worst) => Outcome::consistent(
                Severity::Hygiene,
                format!("{line}; with memory_limit in each worker it would be {}", bytes(worst)),
            )
            .lacks(Missing::new(
                "workers that take all of memory_limit at once",
                "set MemoryMax= of the service, so that such a moment ends a worker of PHP and nothing else",
            )),
            None => Outcome::ruled_out(line),
        }
    };
    outcome.seen_all(observations(shared, wanted, worst))
}

fn observations(shared: &Shared<'_>, wanted: f64, worst: Option<f64>) -> Vec<Observation> {
    let mut all = vec![
        Observation::new("pm.max_children × p95 private", "memory of all workers", wanted).unit("bytes"),
        Observation::new(shared.source, "free for them, with what they have", shared.free).unit("bytes"),
    ];
    all.extend(worst.map(|worst| {
        Observation::new("pm.max_children × memory_limit", "at the very most", worst).unit("bytes")
    }));
    for view in &shared.pools {
        let field = |name: &str| format!("[{}] {name}", view.pool.name);
        let of = |name, each: Option<crate::quantiles::Quantiles>| {
            each.map(|each| Observation::new("smaps_rollup", field(name), each.p95).unit("bytes"))
        };
        all.extend(of("private, p95", view.pool.private_bytes));
        all.extend(of("PSS, p95", view.pool.pss_bytes));
        all.extend(of("RSS, p95 (counts shared pages in each)", view.pool.rss_bytes));
    }
    all
}

/// All pools smaller by the same factor, so that 15 % of memory stays free.
fn smaller(shared: &Shared<'_>, wanted: f64) -> Remedy {
    let free = shared.free - FREE_SHARE * shared.total;
    let factor = (free / wanted).clamp(0.0, 1.0);
    let remedies = shared.pools.iter().filter(|view| at_most(view) > 0.0).map(|view| {
        let workers = ((f64::from(view.most()) * factor).floor()).max(1.0);
        let formula = "max(⌊pm.max_children × (free − 15 % of all) / wanted⌋, 1)";
        let target = Derived::new(number_text(workers).replace(',', ""), formula)
            .input("pm.max_children", view.most(), "the pool's file")
            .input("free", bytes(shared.free), shared.source)
            .input("all", bytes(shared.total), &shared.place)
            .input("wanted", bytes(wanted), "Σ pm.max_children × p95 private");
        let settings = edits::of_size(view.pool, workers_of(&target));
        let change: Change = edits::change(view.pool, &settings, target)
            .coupled_with("listen.backlog, which counts in workers")
            .restarts("reload PHP-FPM")
            .risks(&format!("{}; beyond so many requests wait instead", edits::reload_risk(view.master)));
        let moves = format!("MemAvailable stays above 15 % with all workers of {} busy", view.name());
        Remedy::new(format!("Let {} have {} workers at most", view.name(), number_text(workers)), moves)
            .change(change)
    });
    together(remedies).unwrap_or_else(|| Remedy::new("fewer workers", "MemAvailable stays above 15 %"))
}

fn workers_of(target: &Derived) -> u64 {
    target.value.parse().unwrap_or(1)
}
