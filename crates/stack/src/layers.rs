//! The one list of layers, in stack order from the wire up.

use crate::{
    Cause, Layer, Symptom, cgroup, cpu, disk, irq, memory, nfs, nic, qdisc, settings, sockets, tasks,
};

/// Every layer.
pub const LAYERS: &[&Layer] = &[
    &cpu::LAYER,
    &irq::LAYER,
    &nic::LAYER,
    &qdisc::LAYER,
    &sockets::LAYER,
    &memory::LAYER,
    &disk::LAYER,
    &nfs::LAYER,
    &tasks::LAYER,
    &cgroup::LAYER,
    &settings::LAYER,
];

/// Every cause with its layer, in stack order.
pub fn causes() -> impl Iterator<Item = (&'static Layer, &'static Cause)> {
    LAYERS.iter().flat_map(|layer| layer.causes.iter().map(|cause| (*layer, *cause)))
}

/// Every symptom with its layer, in stack order.
pub fn symptoms() -> impl Iterator<Item = (&'static Layer, &'static Symptom)> {
    LAYERS.iter().flat_map(|layer| layer.symptoms.iter().map(|symptom| (*layer, *symptom)))
}
