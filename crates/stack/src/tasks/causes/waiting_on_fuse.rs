//! Tasks in `D` that wait for a user-space file system.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::tasks::places::{Place, commonest, folded, mean_tasks};
use crate::{Cause, Evidence, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "tasks.waiting-on-fuse",
    title: "Tasks wait for a user-space file system",
    explains: &["tasks.stuck", "cpu.load-high-while-idle", "cpu.iowait-high"],
    refutes: &[],
    document: include_str!("waiting_on_fuse.md"),
    test,
};

const PLACES: [Place; 1] = [Place::Fuse];
/// From one task on, on average, someone always waits.
const ALWAYS: f64 = 1.0;
/// Fewer than this are ordinary.
const OFTEN: f64 = 0.1;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let samples = &evidence.samples;
    let tasks = mean_tasks(samples, &PLACES)?;
    let who = commonest(samples, &PLACES);
    let line = format!(
        "{} for a FUSE daemon or virtiofs, mostly {}",
        wording::counted(tasks, "task waits", "tasks wait"),
        who.as_deref().unwrap_or("of unknown name")
    );
    let outcome = match tasks {
        tasks if tasks >= ALWAYS => Outcome::confirmed(Severity::Limiting, line).remedy(remedy(tasks)),
        tasks if tasks >= OFTEN => Outcome::consistent(Severity::Hygiene, line)
            .lacks(Missing::new("one task that waits all the time", "look again under more load")),
        _ => Outcome::ruled_out("no task in D waits for a user-space file system"),
    };
    let others = evidence.latest(|reading| &reading.nfs).map(|nfs| nfs.others.as_slice()).unwrap_or_default();
    let mounts = others.iter().filter(|mount| {
        mount.filesystem == "fuse" || mount.filesystem == "virtiofs" || mount.filesystem.starts_with("fuse.")
    });
    let mounts = mounts.take(5).map(|mount| {
        Observation::new("/proc/self/mounts", mount.mount_point.clone(), mount.filesystem.clone())
    });
    Ok(outcome.seen_all(folded(samples, &PLACES)).seen_all(mounts))
}

fn remedy(tasks: f64) -> Remedy {
    let target = Derived::new("a daemon that answers, or the files on a local disk", "tasks waiting → 0")
        .input("tasks waiting", number_text(tasks), "/proc/PID/wchan: request_wait_answer");
    let place = "the daemon behind the mount, or the hypervisor for virtiofs".to_owned();
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("killing the daemon ends every request on the mount with an error (ENOTCONN)");
    Remedy::new("Look at the daemon behind the mount", "tasks in D fall to 0").change(change)
}
