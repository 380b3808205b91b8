//! Every scenario, one file each.

mod bufferbloat;
mod listen_overflow_tcp;
mod loss_cubic;
mod slow_start_after_idle;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[
    listen_overflow_tcp::SCENARIO,
    loss_cubic::SCENARIO,
    slow_start_after_idle::SCENARIO,
    bufferbloat::SCENARIO,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
