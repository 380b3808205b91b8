//! Every scenario, one file each.

mod cron_hog;
mod irq_concentration;
mod listen_overflow_tcp;
mod ring_overrun;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] =
    &[listen_overflow_tcp::SCENARIO, irq_concentration::SCENARIO, ring_overrun::SCENARIO, cron_hog::SCENARIO];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
