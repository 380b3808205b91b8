//! Every scenario, one file each.

mod foretell_listen_queue;
mod foretell_php_fpm;
mod foretell_ports;
mod foretell_worker_pool;
mod listen_overflow_tcp;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[
    listen_overflow_tcp::SCENARIO,
    foretell_worker_pool::SCENARIO,
    foretell_php_fpm::SCENARIO,
    foretell_listen_queue::SCENARIO,
    foretell_ports::SCENARIO,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
