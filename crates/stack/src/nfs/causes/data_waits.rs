//! Tasks that wait for file data over NFS.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{NONE, SOURCE, mounted};
use crate::nfs::rates::{DATA, Rates, rates};
use crate::tasks::places::{Place, mean_tasks};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.data-waits",
    title: "Tasks wait for file data over NFS",
    explains: &["cpu.iowait-high", "nfs.latency-high", "tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[],
    document: include_str!("data_waits.md"),
    test,
};

/// Fewer data requests open, on average, make no task wait noticeably.
const LEAST_OPEN: f64 = 0.1;
/// From this many tasks on, on average, the wait shows in the I/O-wait figure of a small host.
const LEAST_TASKS: f64 = 0.1;
/// From one task on, on average, the wait limits.
const LIMITING_TASKS: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let rates = rates(&span);
    let Some(mount) = rates.iter().max_by(|a, b| open(a).total_cmp(&open(b))) else {
        return Ok(Outcome::ruled_out("no mount has counters over the whole window"));
    };
    if open(mount) < LEAST_OPEN {
        return Ok(Outcome::ruled_out(format!(
            "{} data requests open; metadata waits (rpc_wait_bit_killable) are no iowait",
            number_text(open(mount))
        ))
        .seen_all(observations(mount)));
    }
    let tasks = mean_tasks(&evidence.samples, &[Place::NetworkData])?;
    let line = format!(
        "{}: {} data requests open, {} tasks wait for pages of them",
        mount.mount.mount_point,
        number_text(open(mount)),
        number_text(tasks)
    );
    let outcome = match tasks {
        tasks if tasks >= LIMITING_TASKS => {
            Outcome::confirmed(Severity::Limiting, line).remedy(remedy(mount))
        }
        tasks if tasks >= LEAST_TASKS => Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(mount)),
        _ => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "a task seen in folio_wait_bit below an nfs_ function",
            "read-ahead and write-back make no one wait; as root, /proc/PID/stack shows who does",
        )),
    };
    Ok(outcome
        .seen_all(observations(mount))
        .seen(Observation::new("samples", "tasks in folio_wait_bit on NFS", tasks).unit("tasks")))
}

/// Data requests between start and end, on average.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a window")]
fn open(mount: &Rates) -> f64 {
    mount.sum(|name| DATA.contains(&name)).execute_ms as f64 / 1000.0 / mount.seconds
}

fn observations(mount: &Rates) -> Vec<Observation> {
    let place = &mount.mount.mount_point;
    let data = mount.operations.iter().filter(|(name, _)| DATA.contains(name));
    data.map(|(name, grown)| Observation::new(SOURCE, format!("{place} {name}"), grown.operations)).collect()
}

fn remedy(mount: &Rates) -> Remedy {
    let data = mount.sum(|name| DATA.contains(&name));
    let bytes = data.bytes_received.saturating_add(data.bytes_sent);
    let target = Derived::new(
        "the files that are read or written most on a local disk or in a cache",
        "data requests open → 0",
    )
    .input("data requests open", number_text(open(mount)), "mountstats Δexecute/Δt of READ, WRITE, COMMIT")
    .input("bytes", bytes, "mountstats bytes sent and received");
    let place = format!("what reads or writes {}", mount.mount.mount_point);
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("rsize and wsize are negotiated at their best already and change little");
    Remedy::new("Take file data off the network", "tasks waiting for pages of NFS fall to 0").change(change)
}
