//! Tasks in `D` that wait for the reply of a file server.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::tasks::places::{Place, commonest, folded, mean_tasks};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "tasks.waiting-on-network-filesystem",
    title: "Tasks wait for a network file system",
    explains: &["tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "a wait for an RPC reply sleeps without in_iowait, so it raises the load and no iowait",
    }],
    document: include_str!("waiting_on_network_filesystem.md"),
    test,
};

const PLACES: [Place; 1] = [Place::NetworkFilesystem];
/// From one task on, on average, someone always waits.
const ALWAYS: f64 = 1.0;
/// From this many on, the wait is more than an accident.
const OFTEN: f64 = 0.1;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let samples = &evidence.samples;
    let tasks = mean_tasks(samples, &PLACES)?;
    let who = commonest(samples, &PLACES);
    let line = format!(
        "{} for a file server, mostly {}",
        wording::counted(tasks, "task waits", "tasks wait"),
        who.as_deref().unwrap_or("of unknown name")
    );
    let outcome = match tasks {
        tasks if tasks >= ALWAYS => Outcome::confirmed(Severity::Limiting, line).remedy(remedy(tasks)),
        tasks if tasks >= OFTEN => Outcome::consistent(Severity::Hygiene, line)
            .lacks(Missing::new("one task that waits all the time", "look again under more load")),
        _ => Outcome::ruled_out("no task in D waits for a file server"),
    };
    Ok(outcome.seen_all(folded(samples, &PLACES)))
}

fn remedy(tasks: f64) -> Remedy {
    let target = Derived::new(
        "code in the image or on a local disk; only uploads on the network",
        "tasks waiting → 0",
    )
    .input("tasks waiting", number_text(tasks), "/proc/PID/stat and wchan");
    let change = Change::new(ChangeKind::Elsewhere { place: "the deployment".to_owned() }, None, target)
        .coupled_with("the causes of the layer nfs say whether slots, the server or expiry make it wait")
        .risks("a wait for NFS ends by SIGKILL only; a hard mount retries for ever");
    Remedy::new("Move what these tasks read off the network", "tasks in D fall to 0").change(change)
}
