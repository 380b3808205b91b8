//! Tasks in `D` that wait for a lock of the kernel.

use model::{Missing, Outcome, Severity};

use crate::tasks::places::{Place, commonest, folded, mean_tasks};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "tasks.waiting-on-lock",
    title: "Tasks wait for a lock in the kernel",
    explains: &["tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "a wait for a semaphore or mutex sleeps without in_iowait, so it raises the load and no iowait",
    }],
    document: include_str!("waiting_on_lock.md"),
    test,
};

const PLACES: [Place; 1] = [Place::Lock];
/// From one task on, on average, someone always waits.
const ALWAYS: f64 = 1.0;
/// From this many on, one holder cannot be at work all the time without others noticing.
const PILE: f64 = 8.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let samples = &evidence.samples;
    let tasks = mean_tasks(samples, &PLACES)?;
    let who = commonest(samples, &PLACES);
    let line = format!(
        "{} for a kernel lock, mostly {}",
        wording::counted(tasks, "task waits", "tasks wait"),
        who.as_deref().unwrap_or("of unknown name")
    );
    let outcome = match tasks {
        tasks if tasks >= PILE => Outcome::confirmed(Severity::Limiting, line).lacks(holder()),
        tasks if tasks >= ALWAYS => Outcome::consistent(Severity::Hygiene, line).lacks(holder()),
        _ => Outcome::ruled_out("no task in D waits for a lock for long"),
    };
    Ok(outcome.seen_all(folded(samples, &PLACES)))
}

fn holder() -> Missing {
    Missing::new(
        "the task that holds the lock",
        "look for the one waiting task with another stack: a file server, a disk, or a directory that all write to",
    )
}
