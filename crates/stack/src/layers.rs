//! The one list of layers, in stack order from the wire up.

use crate::{
    Cause, Layer, Symptom, cgroup, composer, cpu, cron, disk, irq, memory, mysql, nfs, nginx, nic, opcache,
    php_fpm, proxysql, qdisc, settings, sockets, tasks, wordpress,
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
    &nginx::LAYER,
    &php_fpm::LAYER,
    &opcache::LAYER,
    &composer::LAYER,
    &wordpress::LAYER,
    &cron::LAYER,
    &mysql::LAYER,
    &proxysql::LAYER,
];

/// Every cause with its layer, in stack order.
pub fn causes() -> impl Iterator<Item = (&'static Layer, &'static Cause)> {
    LAYERS.iter().flat_map(|layer| layer.causes.iter().map(|cause| (*layer, *cause)))
}

/// Every symptom with its layer, in stack order.
pub fn symptoms() -> impl Iterator<Item = (&'static Layer, &'static Symptom)> {
    LAYERS.iter().flat_map(|layer| layer.symptoms.iter().map(|symptom| (*layer, *symptom)))
}
