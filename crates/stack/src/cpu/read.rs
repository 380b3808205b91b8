//! Reads CPU time, load and pressure from `/proc`, and where CPUs sit from `/sys`.

use std::collections::BTreeMap;

use host::{Host, HostError, text};
use model::Unread;

use super::parse::{parse_loadavg, parse_pressure, parse_schedstat, parse_stat};
use super::{Cpu, Facts, Place};

/// The topology of a host with more CPUs is not read: one file per CPU would cost too much of every reading.
const MOST_PLACES: usize = 128;

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc/stat` cannot be read, or tells of no CPU.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut facts = parse_stat(&host.read("/proc/stat").map_err(|error| HostError::unread(&error))?);
    if facts.cpus.is_empty() && facts.total == super::Times::default() {
        return Err(Unread::new("/proc/stat tells of no CPU", "check what wrote this file"));
    }
    let pressure = |resource: &str| parse_pressure(&host.read(&format!("/proc/pressure/{resource}")).ok()?);
    facts.load = host.read("/proc/loadavg").ok().and_then(|bytes| parse_loadavg(&bytes));
    facts.pressure_cpu = pressure("cpu");
    facts.pressure_io = pressure("io");
    facts.pressure_memory = pressure("memory");
    if let Ok(bytes) = host.read("/proc/schedstat") {
        let (schedule, skipped) = parse_schedstat(&bytes);
        facts.schedule = schedule;
        facts.skipped += skipped;
    }
    facts.topology = topology(host, &facts.cpus);
    let isolated = host.value("/sys/devices/system/cpu/isolated").unwrap_or_default();
    facts.isolated = text::cpu_list(&isolated).into_iter().collect();
    facts.product = host.value("/sys/class/dmi/id/product_name").ok();
    facts.vendor = host.value("/sys/class/dmi/id/sys_vendor").ok();
    Ok(facts)
}

/// Where each CPU sits; empty when the host does not say, or has more CPUs than [`MOST_PLACES`].
fn topology(host: &dyn Host, cpus: &[Cpu]) -> Vec<Place> {
    if cpus.len() > MOST_PLACES {
        return vec![];
    }
    let nodes = nodes(host);
    let mut packages = BTreeMap::new();
    let mut places = Vec::with_capacity(cpus.len());
    for cpu in cpus.iter().map(|cpu| cpu.id) {
        let folder = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
        let number = |file: &str| host.value(&format!("{folder}/{file}")).ok()?.parse::<u32>().ok();
        let Some(core) = number("core_id") else { return vec![] };
        if !packages.contains_key(&cpu) {
            let Some(package) = number("physical_package_id") else { return vec![] };
            let siblings = host.value(&format!("{folder}/core_siblings_list")).unwrap_or_default();
            packages.extend(text::cpu_list(&siblings).into_iter().map(|sibling| (sibling, package)));
            packages.insert(cpu, package);
        }
        let package = packages.get(&cpu).copied().unwrap_or_default();
        places.push(Place { cpu, core, package, node: nodes.get(&cpu).copied() });
    }
    places
}

/// The NUMA node of each CPU.
fn nodes(host: &dyn Host) -> BTreeMap<u32, u32> {
    let online = host.value("/sys/devices/system/node/online").unwrap_or_default();
    let mut nodes = BTreeMap::new();
    for node in text::cpu_list(&online) {
        let cpus = host.value(&format!("/sys/devices/system/node/node{node}/cpulist")).unwrap_or_default();
        nodes.extend(text::cpu_list(&cpus).into_iter().map(|cpu| (cpu, node)));
    }
    nodes
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn two_packages() -> Tree {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/stat", "cpu 4 4 4 4\ncpu0 1 1 1 1\ncpu1 1 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\n");
        for (cpu, core, package, siblings) in
            [(0, 0, 0, "0-1"), (1, 1, 0, "0-1"), (2, 0, 1, "2-3"), (3, 1, 1, "2-3")]
        {
            let folder = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
            tree.put(0, &format!("{folder}/core_id"), format!("{core}\n"));
            tree.put(0, &format!("{folder}/physical_package_id"), format!("{package}\n"));
            tree.put(0, &format!("{folder}/core_siblings_list"), format!("{siblings}\n"));
        }
        tree
    }

    #[test]
    fn cpus_are_placed_in_their_packages_and_nodes() {
        let mut tree = two_packages();
        tree.put(0, "/sys/devices/system/node/online", "0-1\n");
        tree.put(0, "/sys/devices/system/node/node1/cpulist", "2-3\n");
        let topology = read(&tree.at(0)).unwrap().topology;
        assert_eq!(topology[1], Place { cpu: 1, core: 1, package: 0, node: None });
        assert_eq!(topology[2], Place { cpu: 2, core: 0, package: 1, node: Some(1) });
    }

    #[test]
    fn a_host_without_pressure_schedstat_and_topology_is_read() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/stat", "cpu 4 4 4 4\ncpu0 4 4 4 4\n");
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.pressure_cpu, facts.load, facts.topology.len()), (None, None, 0));
    }

    #[test]
    fn without_any_cpu_the_layer_is_unread() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/stat", "\u{fffd} torn");
        assert!(read(&tree.at(0)).is_err());
    }
}
