//! Every scenario, one file each.

mod irq_concentration;
mod listen_overflow_tcp;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[listen_overflow_tcp::SCENARIO, irq_concentration::SCENARIO];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
