//! Reads PHP-FPM.

use host::Host;
use host::kernel::Listener;
use model::Unread;

use super::{Counters, Facts, Master, Pool, PoolCounters, database};
use crate::glob;

mod configuration;
mod free;
mod known;
mod listen;
mod log;
mod memory;
mod processes;
mod status;
pub(crate) mod version;
mod workers;

use processes::{Process, Running};

/// Where packages put the configuration of a PHP-FPM: Debian, Red Hat, Remi, builds from source.
const FILES: &[&str] = &[
    "/etc/php/*/fpm/php-fpm.conf",
    "/etc/php-fpm.conf",
    "/etc/opt/remi/*/php-fpm.conf",
    "/usr/local/etc/php-fpm.conf",
];

/// More files than this are not read for one pattern, which may lie over a folder of anything.
const MOST_FILES: usize = 4096;

/// Reads what does not change within a window, and the logs.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let now = Now::read(host)?;
    let mut facts = Facts { database: database::read(host), ..Facts::default() };
    facts.unread.extend(now.running.iter().filter_map(elsewhere));
    let clock = log::Clock::read(host);
    for mut master in now.masters.clone() {
        if master.pid.is_some() {
            master.log = log::read(host, &master, &clock);
        }
        for index in 0..master.pools.len() {
            let workers = master.pools.get(index).map(|pool| now.workers(&master, pool)).unwrap_or_default();
            let Some(pool) = master.pools.get_mut(index) else { continue };
            workers::fill(host, pool, &workers, &now.listeners);
            facts.unread.extend(memory::fill(host, pool));
            if master.pid.is_some() {
                pool.slow_requests = log::slow_requests(host, pool, &clock);
            }
        }
        facts.masters.push(master);
    }
    facts.unread.dedup();
    Ok(facts)
}

/// Reads what counts up.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    let now = Now::read(host)?;
    let mut counters = Counters::default();
    for (master, pool) in now.masters().flat_map(|master| master.pools.iter().map(move |pool| (master, pool)))
    {
        counters.pools.push(now.counters(host, master, pool));
    }
    Ok(counters)
}

/// Every PHP-FPM that runs at this moment, for what has to ask one.
pub(crate) struct Now {
    running: Vec<Running>,
    masters: Vec<Master>,
    listeners: Vec<Listener>,
}

impl Now {
    /// Reads which there are.
    ///
    /// # Errors
    /// When `/proc` cannot be listed.
    pub(crate) fn read(host: &dyn Host) -> Result<Self, Unread> {
        let running = processes::running(host)?;
        let masters = configured(host, &running);
        let listeners = if running.is_empty() { vec![] } else { host.listeners().unwrap_or_default() };
        Ok(Self { running, masters, listeners })
    }

    /// Every master that runs, with its pools as configured.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &Master> {
        self.masters.iter().filter(|master| master.pid.is_some())
    }

    /// Looks whether a pool can be asked something without taking a visitor's place.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn may_be_asked(&self, host: &dyn Host, master: &Master, pool: &Pool) -> Result<(), Unread> {
        free::may_be_asked(host, pool, &self.workers(master, pool), &self.listeners)
    }

    fn workers(&self, master: &Master, pool: &Pool) -> Vec<&Process> {
        let running = self.running.iter().filter(|running| Some(running.pid) == master.pid);
        running.flat_map(|running| &running.workers).filter(|worker| worker.pool == pool.name).collect()
    }

    fn counters(&self, host: &dyn Host, master: &Master, pool: &Pool) -> PoolCounters {
        let workers = self.workers(master, pool);
        let (status, status_unread) = match status::read(host, pool, &workers, &self.listeners) {
            Ok(status) => (Some(status), None),
            Err(unread) => (None, Some(unread)),
        };
        PoolCounters {
            master: master.pid.unwrap_or_default(),
            pool: pool.name.clone(),
            workers: u32::try_from(workers.len()).unwrap_or(u32::MAX),
            cpu_ticks: workers.iter().map(|worker| (worker.pid, worker.ticks)).collect(),
            status,
            status_unread,
        }
    }
}

/// Every master with its pools as configured, without memory, logs or workers: for layers that only need to know which are
/// there.
pub fn masters(host: &dyn Host) -> Vec<Master> {
    configured(host, &processes::running(host).unwrap_or_default())
}

/// Masters that run, and configurations of which none does.
fn configured(host: &dyn Host, running: &[Running]) -> Vec<Master> {
    let here = running.iter().filter(|running| running.elsewhere.is_none());
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
    let files = FILES.iter().flat_map(|pattern| glob::paths(host, "", pattern, MOST_FILES));
    for file in files.collect::<Vec<_>>() {
        if masters.iter().any(|master| master.file == file) || host.read(&file).is_err() {
            continue;
        }
        masters.push(Master { version: version::in_path(&file), ..configuration::read(host, &file, None) });
    }
    masters
}

fn usual_file(host: &dyn Host, version: Option<&str>) -> Option<String> {
    let mut files = FILES.iter().flat_map(|pattern| glob::paths(host, "", pattern, MOST_FILES));
    files.find(|file| host.read(file).is_ok() && version::in_path(file).as_deref() == version)
}

fn elsewhere(running: &Running) -> Option<Unread> {
    let pid = running.pid;
    Some(match running.elsewhere? {
        "net" => Unread::new(
            format!(
                "the PHP-FPM of process {pid} runs in another network namespace: its sockets are not seen from here"
            ),
            format!("run narrows there: nsenter -t {pid} -n narrows check"),
        ),
        _ => Unread::new(
            format!(
                "the PHP-FPM of process {pid} runs in another PID namespace: its files are those of a container"
            ),
            "run narrows in that container",
        ),
    })
}

#[cfg(test)]
mod tests;
