//! Every scenario, one file each.

mod listen_overflow_tcp;
mod listen_overflow_unix;
mod ports_exhausted;

use crate::scenario::Scenario;

/// The layers that a network namespace has to itself. Of CPUs, memory and disks the whole machine is the owner, and what
/// else it does is no finding about a scenario.
const LAYERS_OF_A_NAMESPACE: &str = "sockets,nic,qdisc";

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] =
    &[listen_overflow_tcp::SCENARIO, listen_overflow_unix::SCENARIO, ports_exhausted::SCENARIO];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
