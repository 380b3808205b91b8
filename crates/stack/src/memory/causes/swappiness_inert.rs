//! A `vm.swappiness` on a host without swap space.

use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::memory::rates::bytes_text;
use crate::settings::edits;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.swappiness-inert",
    title: "vm.swappiness is set on a host without swap space",
    explains: &[],
    refutes: &[],
    document: include_str!("swappiness_inert.md"),
    test,
};

const KEY: &str = "vm.swappiness";
/// The kernel's default (mm/vmscan.c).
const DEFAULT: u64 = 60;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let memory = evidence.latest(|reading| &reading.memory)?;
    let missing = |what: &str| Missing::new(what, "read the host itself: this container does not show it");
    let value = memory.swappiness.ok_or_else(|| missing("/proc/sys/vm/swappiness"))?;
    let swap = *memory.meminfo.get("SwapTotal").ok_or_else(|| missing("/proc/meminfo SwapTotal"))?;
    let outcome = match (value, swap) {
        (DEFAULT, _) => Outcome::ruled_out("vm.swappiness is 60, the default"),
        (value, 0) => {
            let line = format!("vm.swappiness = {value} does nothing: there is no swap space");
            Outcome::confirmed(Severity::Folklore, line).remedy(remedy(value, evidence))
        }
        (value, swap) => {
            Outcome::ruled_out(format!("vm.swappiness = {value} acts on {} of swap space", bytes_text(swap)))
        }
    };
    Ok(outcome
        .seen(Observation::new("/proc/sys/vm/swappiness", KEY, value))
        .seen(Observation::new("/proc/meminfo", "SwapTotal", swap).unit("bytes")))
}

fn remedy(value: u64, evidence: &Evidence) -> Remedy {
    let target = Derived::new(DEFAULT, "the default; any value is the same without swap space")
        .input("SwapTotal", 0, "/proc/meminfo")
        .input(KEY, value, "/proc/sys/vm/swappiness");
    let change = Change::sysctl(KEY, Some(value.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("none; once swap space is added, 60 swaps sooner than a lower value");
    let remedy = Remedy::new("Take the line away, or leave it: it does nothing", "nothing");
    edits::restore(evidence, KEY, change).into_iter().fold(remedy, Remedy::change)
}
