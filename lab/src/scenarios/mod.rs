//! Every scenario, one file each.

mod dentry_growth;
mod foretell_listen_queue;
mod foretell_php_fpm;
mod foretell_ports;
mod foretell_rpc_slots;
mod foretell_worker_pool;
mod irq_concentration;
mod listen_overflow_tcp;
mod nfs_latency;
mod nfs_slots;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[
    listen_overflow_tcp::SCENARIO,
    irq_concentration::SCENARIO,
    nfs_latency::SCENARIO,
    nfs_slots::SCENARIO,
    dentry_growth::SCENARIO,
    foretell_worker_pool::SCENARIO,
    foretell_php_fpm::SCENARIO,
    foretell_listen_queue::SCENARIO,
    foretell_ports::SCENARIO,
    foretell_rpc_slots::SCENARIO,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
