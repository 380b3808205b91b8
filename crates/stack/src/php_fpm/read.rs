//! Reads PHP-FPM.

use host::Host;
use model::Unread;

use super::{Counters, Facts, Master, PoolCounters};

mod configuration;
pub(crate) mod glob;
mod known;
mod listen;
mod memory;
mod processes;
pub(crate) mod version;
mod workers;

use processes::Running;

/// Where packages put the configuration of a PHP-FPM: Debian, Red Hat, Remi, builds from source.
const FILES: &[&str] = &[
    "/etc/php/*/fpm/php-fpm.conf",
    "/etc/php-fpm.conf",
    "/etc/opt/remi/*/php-fpm.conf",
    "/usr/local/etc/php-fpm.conf",
];

/// Reads what does not change within a window, and the logs.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let running = processes::running(host)?;
    let mut facts = Facts::default();
    for each in running.iter().filter(|each| each.elsewhere) {
        facts.unread.push(elsewhere(each));
    }
    facts.masters = configured(host, &running);
    let listeners = host.listeners().unwrap_or_default();
    for master in &mut facts.masters {
        let Some(running) = running.iter().find(|running| Some(running.pid) == master.pid) else { continue };
        for pool in &mut master.pools {
            let processes: Vec<_> =
                running.workers.iter().filter(|worker| worker.pool == pool.name).collect();
            workers::fill(host, pool, &processes, &listeners);
            facts.unread.extend(memory::fill(host, pool));
        }
    }
    facts.unread.dedup();
    Ok(facts)
}

/// Reads what counts up.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    let running = processes::running(host)?;
    let mut counters = Counters::default();
    for master in configured(host, &running) {
        let Some(running) = running.iter().find(|running| Some(running.pid) == master.pid) else { continue };
        for pool in &master.pools {
            let workers = || running.workers.iter().filter(|worker| worker.pool == pool.name);
            counters.pools.push(PoolCounters {
                master: running.pid,
                pool: pool.name.clone(),
                workers: u32::try_from(workers().count()).unwrap_or(u32::MAX),
                cpu_ticks: workers().map(|worker| (worker.pid, worker.ticks)).collect(),
                status: None,
                status_unread: None,
            });
        }
    }
    Ok(counters)
}

/// Every master with its pools as configured, without memory, logs or workers: for layers that only need to know which are
/// there.
pub fn masters(host: &dyn Host) -> Vec<Master> {
    configured(host, &processes::running(host).unwrap_or_default())
}

/// Masters that run, and configurations of which none does.
fn configured(host: &dyn Host, running: &[Running]) -> Vec<Master> {
    let here = running.iter().filter(|running| !running.elsewhere);
    let mut masters: Vec<Master> = here
        .map(|running| {
            let file = running.file.clone().or_else(|| usual_file(host, running.version.as_deref()));
            let read = file.map(|file| configuration::read(host, &file, running.prefix.as_deref()));
            Master {
                pid: Some(running.pid),
                version: running.version.clone(),
                control_group: running.control_group.clone(),
                ..read.unwrap_or_default()
            }
        })
        .collect();
    let files = FILES.iter().flat_map(|pattern| glob::expand(host, pattern));
    for file in files.collect::<Vec<_>>() {
        if masters.iter().any(|master| master.file == file) || host.read(&file).is_err() {
            continue;
        }
        masters.push(Master { version: version::in_path(&file), ..configuration::read(host, &file, None) });
    }
    masters
}

fn usual_file(host: &dyn Host, version: Option<&str>) -> Option<String> {
    let mut files = FILES.iter().flat_map(|pattern| glob::expand(host, pattern));
    files.find(|file| host.read(file).is_ok() && version::in_path(file).as_deref() == version)
}

fn elsewhere(running: &Running) -> Unread {
    Unread::new(
        format!(
            "the PHP-FPM of process {} runs in another PID namespace: its files are those of a container",
            running.pid
        ),
        "run narrows in that container",
    )
}
