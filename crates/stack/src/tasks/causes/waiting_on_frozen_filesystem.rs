//! Tasks in `D` that wait for a frozen file system.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::samples::Wait;
use crate::tasks::places::{Place, commonest, folded, is_stuck, mean_tasks};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "tasks.waiting-on-frozen-filesystem",
    title: "Tasks wait for a frozen file system",
    explains: &["tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "a write to a frozen file system sleeps in percpu_rwsem_wait, which sets no in_iowait",
    }],
    document: include_str!("waiting_on_frozen_filesystem.md"),
    test,
};

/// From one task on, on average, the freeze lasted.
const ALWAYS: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let samples = &evidence.samples;
    let frozen = mean_tasks(samples, &[Place::Frozen])?;
    let unclear = |wait: &Wait| {
        is_stuck(wait) && wait.stack.is_empty() && wait.wchan.as_deref() == Some("percpu_rwsem_wait")
    };
    let maybe = samples.mean_tasks(unclear).unwrap_or(0.0);
    let who = commonest(samples, &[Place::Frozen, Place::Lock]);
    let line = |tasks: f64| {
        let who = who.as_deref().unwrap_or("of unknown name");
        format!(
            "{} to write to a frozen file system, mostly {who}",
            wording::counted(tasks, "task waits", "tasks wait")
        )
    };
    let outcome = if frozen >= ALWAYS {
        Outcome::confirmed(Severity::Breaking, line(frozen)).remedy(remedy(frozen))
    } else if frozen + maybe >= ALWAYS {
        Outcome::consistent(Severity::Breaking, line(frozen + maybe)).lacks(Missing::new(
            "/proc/PID/stack of the waiting tasks",
            "run narrows as root: percpu_rwsem_wait is shared by other locks, the stack tells which",
        ))
    } else {
        Outcome::ruled_out("no task in D waits for a frozen file system")
    };
    Ok(outcome.seen_all(folded(samples, &[Place::Frozen])))
}

fn remedy(tasks: f64) -> Remedy {
    let target = Derived::new(
        "fsfreeze --unfreeze MOUNT_POINT",
        "freeze time → that of a snapshot, below 1 s",
    )
    .input("tasks waiting", number_text(tasks), "/proc/PID/stack: percpu_rwsem_wait below a write");
    let change = Change::new(
        ChangeKind::Elsewhere { place: "the backup or snapshot that froze it".to_owned() },
        None,
        target,
    )
    .risks("thawing before the snapshot is complete makes that snapshot inconsistent");
    Remedy::new("Thaw the file system, and find what froze it", "tasks in D fall to 0").change(change)
}
