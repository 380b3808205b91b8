//! An NFS server that does not answer at all.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{NONE, SOURCE, mounted};
use crate::nfs::rates::{Rates, rates};
use crate::samples::Wait;
use crate::tasks::places::{is_stuck, passed};
use crate::{Cause, Evidence, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.unresponsive-server",
    title: "The NFS server does not answer",
    explains: &["nfs.latency-high", "tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[],
    document: include_str!("unresponsive_server.md"),
    test,
};

/// From one task on, on average, someone waited for the server throughout.
const THROUGHOUT: f64 = 1.0;
/// A shorter silence may be one slow reply.
const LEAST_S: f64 = 5.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let rates = rates(&span);
    let Some(mount) = silent(&rates) else { return Ok(Outcome::ruled_out(answering(&rates))) };
    passed(&evidence.samples)?;
    let waiting = evidence.samples.mean_tasks(waits_for_nfs).unwrap_or(0.0);
    let outcome = if waiting < THROUGHOUT {
        Outcome::ruled_out(format!("{} is silent, and no task waits for it", mount.server()))
    } else if span.seconds < LEAST_S {
        Outcome::consistent(Severity::Breaking, line(mount, waiting))
            .lacks(Missing::new("a silence of 5 s or longer", "look again with a longer window"))
    } else {
        Outcome::confirmed(Severity::Breaking, line(mount, waiting)).remedy(remedy(mount))
    };
    let (sent, received) = mount.replies.unwrap_or_default();
    let hard = if mount.mount.has("hard") { "hard" } else { "soft" };
    Ok(outcome
        .seen(Observation::new(SOURCE, "xprt receives", received))
        .seen(Observation::new(SOURCE, "xprt sends", sent))
        .seen(Observation::new(SOURCE, "timeouts", mount.total().timeouts))
        .seen(Observation::new(SOURCE, "retries", hard))
        .seen(Observation::new("samples", "tasks in D on it", waiting).unit("tasks")))
}

fn waits_for_nfs(wait: &Wait) -> bool {
    is_stuck(wait)
        && ["rpc_", "__rpc_", "nfs_", "nfs4_", "__nfs_", "_nfs4_"].iter().any(|name| wait.is_in(name))
}

/// A mount from which no reply came while requests were outstanding, sent in the window or before it; of several, the
/// one that sent most and has most outstanding.
fn silent<'a, 'b>(rates: &'b [Rates<'a>]) -> Option<&'b Rates<'a>> {
    let sent = |mount: &Rates| mount.replies.map_or(0, |(sent, _)| sent);
    let outstanding = |mount: &Rates| -> u64 {
        let transports = mount.mount.transports.iter();
        transports
            .map(|transport| transport.sends.saturating_sub(transport.receives))
            .fold(0, u64::saturating_add)
    };
    let quiet = rates.iter().filter(|mount| mount.replies.is_some_and(|(_, received)| received == 0));
    quiet
        .filter(|mount| sent(mount) > 0 || outstanding(mount) > 0)
        .max_by_key(|mount| (sent(mount).saturating_add(mount.total().timeouts), outstanding(mount)))
}

fn answering(rates: &[Rates]) -> String {
    match rates.iter().max_by_key(|mount| mount.replies.map(|(_, received)| received)) {
        Some(mount) => {
            let received = mount.replies.map_or(0, |(_, received)| received);
            if received == 0 {
                return format!("{}: no request is outstanding", mount.server());
            }
            let received = number_text(u32::try_from(received).map_or(f64::from(u32::MAX), f64::from));
            format!("{} sent {received} replies in {} s", mount.server(), number_text(mount.seconds))
        }
        None => "no mount has counters over the whole window".to_owned(),
    }
}

fn line(mount: &Rates, waiting: f64) -> String {
    let (server, seconds) = (mount.server(), number_text(mount.seconds));
    format!(
        "{server}: no reply in {seconds} s; {}, SIGKILL ends them",
        wording::counted(waiting, "task waits", "tasks wait")
    )
}

fn remedy(mount: &Rates) -> Remedy {
    let target = Derived::new("a server that answers", "receives > 0 while requests are outstanding").input(
        "receives",
        0,
        "mountstats xprt",
    );
    let place = format!("NFS server {} and the network to it", mount.server());
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("a hard mount retries for ever and timeo only sends again: nothing ends by itself")
        .coupled_with("workers that wait can be killed with SIGKILL (TASK_KILLABLE), and only with it");
    Remedy::new("Bring the server back, or kill -9 the tasks and umount -f -l", "xprt receives grow again")
        .change(change)
}
