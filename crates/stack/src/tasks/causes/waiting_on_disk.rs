//! Tasks in `D` that wait for a block device.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::disk::rates::busiest;
use crate::tasks::places::{Place, commonest, folded, mean_tasks};
use crate::{Cause, Evidence, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "tasks.waiting-on-disk",
    title: "Tasks wait for a disk",
    explains: &["tasks.stuck", "cpu.iowait-high", "cpu.load-high-while-idle"],
    refutes: &[],
    document: include_str!("waiting_on_disk.md"),
    test,
};

const PLACES: [Place; 1] = [Place::Disk];
/// From one task on, on average, someone always waits.
const ALWAYS: f64 = 1.0;
/// Fewer than this are the ordinary touch of a disk.
const OFTEN: f64 = 0.1;
/// A disk with requests in flight for half of the time is what they wait for.
const BUSY: f64 = 0.5;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let samples = &evidence.samples;
    let tasks = mean_tasks(samples, &PLACES)?;
    if tasks < OFTEN {
        return Ok(Outcome::ruled_out(format!(
            "{} for a disk on average",
            wording::counted(tasks, "task waits", "tasks wait")
        )));
    }
    let busy = busiest(&evidence.span(|reading| &reading.disk)?);
    let who = commonest(samples, &PLACES);
    let line = format!(
        "{} for a disk {:.0} % busy, mostly {}",
        wording::counted(tasks, "task waits", "tasks wait"),
        busy * 100.0,
        who.as_deref().unwrap_or("of unknown name")
    );
    let outcome = if tasks >= ALWAYS && busy >= BUSY {
        Outcome::confirmed(Severity::Limiting, line).remedy(remedy(tasks, busy))
    } else {
        Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "a task that waits all the time and a disk that is busy half of it",
            "look again under load; an idle disk under waiting tasks is stalled, virtual or behind a network",
        ))
    };
    Ok(outcome
        .seen_all(folded(samples, &PLACES))
        .seen(Observation::new("/proc/diskstats", "busiest io_ticks", busy * 100.0).unit("%")))
}

fn remedy(tasks: f64, busy: f64) -> Remedy {
    let target = Derived::new("fewer or smaller reads and writes by these tasks", "tasks waiting → 0")
        .input("tasks waiting", number_text(tasks), "/proc/PID/stat and stack")
        .input("busiest disk", format!("{:.0} %", busy * 100.0), "/proc/diskstats io_ticks");
    let change = Change::new(ChangeKind::Elsewhere { place: "the tasks that wait".to_owned() }, None, target)
        .risks("relaxed durability (fsync off) hides the wait and loses data at a crash");
    Remedy::new("Take the load off the disk that these tasks wait for", "tasks in D fall below 1")
        .change(change)
}
