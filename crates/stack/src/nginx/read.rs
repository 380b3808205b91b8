//! Reads Nginx: masters and workers from `/proc`, and the files of each configuration. No program is run.

use host::Host;
use model::Unread;

use super::masters::{self, Master};
use super::{
    AccessLog, Configuration, Counters, ErrorLog, Facts, Instance, InstanceCounters, Worker, WorkerCounters,
};
use super::{caches, logs, stub_status, tree};
use crate::processes;

/// Reads what does not change within a window, and the logs.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let masters = masters::running(host)?;
    let mut facts = Facts::default();
    for master in &masters {
        match &master.place {
            Ok(place) => facts.instances.push(instance(host, master, tree::read(host, place))),
            Err(unread) => facts.unread.push(unread.clone()),
        }
    }
    if let Some(place) = masters::installed(host).filter(|_| masters.is_empty()) {
        let configuration = tree::read(host, &place);
        let (access_logs, error_logs) = logs_of(host, &configuration);
        facts.instances.push(Instance { configuration, access_logs, error_logs, ..Instance::default() });
    }
    let configurations: Vec<_> = facts.instances.iter().map(|instance| &instance.configuration).collect();
    facts.cache_folders = caches::read_folders(host, &configurations);
    Ok(facts)
}

fn instance(host: &dyn Host, master: &Master, configuration: Configuration) -> Instance {
    let workers = master.workers.iter().map(|worker| Worker {
        pid: worker.pid,
        open_files_limit: processes::open_files_limit(host, worker.pid),
        open_files: processes::open_files(host, worker.pid),
        cpus_allowed: processes::cpus_allowed(host, worker.pid),
    });
    let (access_logs, error_logs) = logs_of(host, &configuration);
    Instance {
        master: Some(master.pid),
        program: master.program.clone(),
        cgroup: processes::cgroup(host, master.pid),
        workers: workers.collect(),
        configuration,
        access_logs,
        error_logs,
    }
}

/// What the logs say. Those of an Nginx in a container are not looked for: its paths are not those of the host.
fn logs_of(host: &dyn Host, configuration: &Configuration) -> (Vec<AccessLog>, Vec<ErrorLog>) {
    if configuration.root.is_empty() { logs::read(host, configuration) } else { (vec![], vec![]) }
}

/// Reads what counts up.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    let instances = masters::running(host)?.into_iter().map(|master| {
        let status = match &master.place {
            Ok(_) if !processes::shares_network(host, master.pid) => Err(Unread::new(
                "this Nginx has a network of its own",
                "run narrows within its network namespace",
            )),
            Ok(place) => stub_status::ask(host, &tree::read(host, place)),
            Err(unread) => Err(unread.clone()),
        };
        let workers = master.workers.iter().map(|worker| WorkerCounters {
            pid: worker.pid,
            cpu_ticks: worker.cpu_ticks,
            open_files: processes::open_files(host, worker.pid),
        });
        let workers = workers.collect();
        let (stub_status, stub_status_unread) = match status {
            Ok(status) => (Some(status), None),
            Err(unread) => (None, Some(unread)),
        };
        InstanceCounters { master: master.pid, workers, stub_status, stub_status_unread }
    });
    Ok(Counters { instances: instances.collect() })
}

/// The configuration of every Nginx: of each running master, or of `/etc/nginx/nginx.conf` where none runs. Without logs.
pub fn configurations(host: &dyn Host) -> Vec<Configuration> {
    masters::places(host).iter().map(|place| tree::read(host, place)).collect()
}

/// The folders from which the servers of these configurations are served (`root`, `alias`), each once, in order, as paths of
/// the host. Those with variables in them are left out.
pub fn document_roots(configurations: &[Configuration]) -> Vec<String> {
    let mut roots: Vec<String> = Vec::new();
    for configuration in configurations {
        for context in configuration.contexts() {
            for name in ["root", "alias"] {
                let folder = context.own(name).and_then(|own| own.first());
                let Some(folder) = folder.filter(|folder| !folder.contains('$')) else { continue };
                let root = configuration.host_path(folder.trim_end_matches('/'));
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
        }
    }
    roots
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
