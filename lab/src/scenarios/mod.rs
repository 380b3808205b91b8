//! Every scenario, one file each.

mod dentry_growth;
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
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
