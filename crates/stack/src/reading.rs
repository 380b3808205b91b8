//! Reads all layers of a host, at one instant or several.

use host::{Host, HostError, Tree};
use model::report::HostIdentity;
use model::{Layered, Unread};

use crate::samples::Sampler;
use crate::services::Services;
use crate::{
    Evidence, Reading, cgroup, cpu, disk, irq, memory, mysql, nfs, nginx, nic, opcache, php_fpm, proxysql,
    qdisc, settings, sockets, tasks,
};

/// Reads every layer at this instant, one after the other.
pub fn read_once(host: &dyn Host) -> Reading {
    Reading {
        clock: host.clock(),
        cpu: cpu::read(host).into(),
        irq: irq::read(host).into(),
        nic: nic::read(host).into(),
        qdisc: qdisc::read(host).into(),
        sockets: sockets::read(host).into(),
        memory: memory::read(host).into(),
        disk: disk::read(host).into(),
        nfs: nfs::read(host).into(),
        tasks: tasks::read(host).into(),
        cgroup: cgroup::read(host).into(),
        nginx: nginx::read_counters(host).into(),
        php_fpm: php_fpm::read_counters(host).into(),
        opcache: opcache::read_counters(host).into(),
        mysql: mysql::read_counters(host).into(),
        proxysql: proxysql::read_counters(host).into(),
    }
}

/// Reads kernel parameters and the files behind them.
pub fn read_settings(host: &dyn Host) -> settings::Facts {
    settings::read(host)
}

/// Reads every instant of a tree; each instant is also one sample of tasks and listen queues.
///
/// # Errors
/// When no instant of the tree could be read at all.
pub fn read_tree(tree: &Tree) -> Result<Evidence, HostError> {
    let mut sampler = Sampler::default();
    let mut readings = Vec::new();
    for instant in 0..tree.instants() {
        let host = tree.at(instant);
        readings.push(read_once(&host));
        sampler.observe(&host);
    }
    let first = tree.at(0);
    let settings = read_settings(&first);
    let host = identity(&first, &readings);
    let services = Services::read(&tree.at(tree.instants().saturating_sub(1)));
    Ok(Evidence { host, settings, services, readings, samples: sampler.finish() })
}

/// What machine it is.
pub fn identity(host: &dyn Host, readings: &[Reading]) -> HostIdentity {
    let facts = readings.first();
    let cpus = facts.and_then(|reading| reading.cpu.facts()).map(|cpu| cpu.cpus.len());
    let memory = facts.and_then(|reading| reading.memory.facts());
    HostIdentity {
        name: host.value("/proc/sys/kernel/hostname").ok(),
        distribution: distribution(host),
        kernel: host.value("/proc/sys/kernel/osrelease").ok(),
        cpus: cpus.and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0),
        memory_bytes: memory.and_then(|memory| memory.meminfo.get("MemTotal").copied()),
        virtualization: virtualization(host),
        root: host.is_root(),
    }
}

fn distribution(host: &dyn Host) -> Option<String> {
    let text = host.value("/etc/os-release").or_else(|_| host.value("/usr/lib/os-release")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

/// The hypervisor, from the DMI strings and the `hypervisor` flag of the CPU; the way systemd-detect-virt(1) looks.
fn virtualization(host: &dyn Host) -> Option<String> {
    let flags = host.value("/proc/cpuinfo").ok()?;
    let flagged =
        flags.lines().find(|line| line.starts_with("flags")).map(|line| line.contains(" hypervisor"));
    let vendor = host.value("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    let product = host.value("/sys/class/dmi/id/product_name").unwrap_or_default();
    let known = [
        ("QEMU", "KVM guest"),
        ("Amazon EC2", "Amazon EC2"),
        ("Google", "Google Compute Engine"),
        ("Microsoft Corporation", "Hyper-V guest"),
        ("VMware", "VMware guest"),
        ("innotek", "VirtualBox guest"),
        ("Xen", "Xen guest"),
        ("DigitalOcean", "DigitalOcean"),
        ("Hetzner", "Hetzner Cloud"),
    ];
    let named = known.iter().find(|(word, _)| vendor.contains(word) || product.contains(word));
    match (named, flagged) {
        (Some((_, name)), _) => Some((*name).to_owned()),
        (None, Some(true)) => Some("virtual machine".to_owned()),
        (None, Some(false)) => Some("bare metal".to_owned()),
        (None, None) => None,
    }
}

/// A reading in which no layer was read, for the same reason.
pub fn unread_reading(clock: host::Clock, unread: &Unread) -> Reading {
    fn no<T>(unread: &Unread) -> Layered<T> {
        Layered::Unread(unread.clone())
    }
    Reading {
        clock,
        cpu: no(unread),
        irq: no(unread),
        nic: no(unread),
        qdisc: no(unread),
        sockets: no(unread),
        memory: no(unread),
        disk: no(unread),
        nfs: no(unread),
        tasks: no(unread),
        cgroup: no(unread),
        nginx: no(unread),
        php_fpm: no(unread),
        opcache: no(unread),
        mysql: no(unread),
        proxysql: no(unread),
    }
}
