//! What a change of the number of queues resets beside it, and an undo must give back: packet steering and the CPUs of
//! the device's interrupts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::kernel_file;
use crate::ChangeError;

/// Files of a queue that steer its packets (`Documentation/networking/scaling.rst`).
const STEERING: [&str; 4] = ["rps_cpus", "rps_flow_cnt", "xps_cpus", "xps_rxqs"];

/// Whether a value of a state is one of these, and no count.
pub(super) fn is_beside(name: &str) -> bool {
    name.contains('/')
}

/// Every value as it is, by its path: `queues/rx-0/rps_cpus` below the interface, `irq/24` of an interrupt. What cannot
/// be read, such as XPS of a device with one queue, has nothing to give back.
pub(super) fn read(interface: &str) -> BTreeMap<String, String> {
    let queues = names(&folder(interface).join("queues")).into_iter();
    let files = queues.flat_map(|queue| STEERING.map(|file| format!("queues/{queue}/{file}")));
    let interrupts = interrupts(interface).into_iter().map(|number| format!("irq/{number}"));
    let value = |name: String| {
        let value = kernel_file::read(&name, &path(interface, &name)).ok()?;
        Some((name, value))
    };
    files.chain(interrupts).filter_map(value).collect()
}

/// Gives back what differs. A queue or an interrupt that is not there has nothing to be given.
pub(super) fn write(interface: &str, values: &BTreeMap<String, String>) -> Result<(), ChangeError> {
    for (name, value) in values.iter().filter(|(name, _)| is_beside(name)) {
        let path = path(interface, name);
        if kernel_file::read(name, &path).is_ok_and(|now| now != *value) {
            kernel_file::write(&format!("{name} of {interface}"), &path, value)?;
        }
    }
    Ok(())
}

fn folder(interface: &str) -> PathBuf {
    Path::new("/sys/class/net").join(interface)
}

fn path(interface: &str, name: &str) -> PathBuf {
    match name.strip_prefix("irq/") {
        Some(number) => Path::new("/proc/irq").join(number).join("smp_affinity_list"),
        None => folder(interface).join(name),
    }
}

/// The interrupts of the device: its own, or those of the PCI device that a virtio device sits on.
fn interrupts(interface: &str) -> Vec<String> {
    let Ok(device) = std::fs::canonicalize(folder(interface).join("device")) else { return vec![] };
    let places = [Some(device.as_path()), device.parent()];
    let places = places.into_iter().flatten().map(|place| names(&place.join("msi_irqs")));
    places.into_iter().find(|numbers| !numbers.is_empty()).unwrap_or_default()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
