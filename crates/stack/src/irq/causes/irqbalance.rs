//! Keeping irqbalance away from interrupts that are placed.

use model::{Change, ChangeKind, Derived, Edit};

use crate::Evidence;

/// The environment of its unit in Debian.
const FILE: &str = "/etc/default/irqbalance";
/// Its arguments there.
const VARIABLE: &str = "IRQBALANCE_ARGS";

/// The change that makes irqbalance leave interrupts alone; `None` where it does not run.
pub(super) fn ban(evidence: &Evidence, irqs: &[String]) -> Option<Change> {
    let tasks = evidence.latest(|reading| &reading.tasks).ok()?;
    if !tasks.commands.contains_key("irqbalance") {
        return None;
    }
    let bans: Vec<_> = irqs.iter().map(|irq| format!("--banirq={irq}")).collect();
    let target = Derived::new(bans.join(" "), "one --banirq for each network interrupt that is to stay")
        .input("interrupts", irqs.join(", "), "/proc/irq/*/smp_affinity_list");
    let what = ChangeKind::File {
        path: FILE.to_owned(),
        edit: format!("add to {VARIABLE}: {}", bans.join(" ")),
        edits: vec![Edit::ShellVariable { name: VARIABLE.to_owned(), add_words: bans }],
    };
    Some(
        Change::new(what, None, target)
            .persists_by(
                "the file itself; numbers change with hardware, so prefer --policyscript that matches names",
            )
            .restarts("systemctl restart irqbalance")
            .risks("none for other devices: irqbalance goes on to place theirs"),
    )
}
