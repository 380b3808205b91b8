//! Every scenario, one file each.

mod listen_overflow_tcp;
mod listen_overflow_unix;

use crate::scenario::Scenario;

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[
    listen_overflow_tcp::SCENARIO,
    listen_overflow_unix::SCENARIO,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
