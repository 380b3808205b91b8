//! An NFS server, or the way to it, that answers slowly.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{LEAST_PER_S, NONE, SOURCE, mounted, observations};
use crate::nfs::rates::{QUEUED, Rates, rates};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.server-slow",
    title: "The NFS server answers slowly",
    explains: &["nfs.latency-high", "tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[],
    document: include_str!("server_slow.md"),
    test,
};

/// A healthy server in the same network answers metadata in about 1 ms; from here on a page feels it.
const SLOW_MS: f64 = 10.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let rates = rates(&span);
    let used = rates.iter().filter(|mount| mount.per_s() >= LEAST_PER_S);
    let Some(mount) = used.max_by(|a, b| rtt_ms(a).total_cmp(&rtt_ms(b))) else {
        return Ok(Outcome::ruled_out(format!("no mount does {LEAST_PER_S} operations/s")));
    };
    let queued = mount.queue_ratio().unwrap_or(0.0) > QUEUED;
    let outcome = match (rtt_ms(mount) >= SLOW_MS, queued) {
        (false, _) => Outcome::ruled_out(line(mount)),
        (true, false) => Outcome::confirmed(Severity::Limiting, line(mount)).remedy(remedy(mount)),
        (true, true) => Outcome::consistent(Severity::Limiting, line(mount)).lacks(Missing::new(
            "the round trip without a full session",
            "its own queue may be what makes it slow: measure again with fewer requests in flight",
        )),
    };
    Ok(outcome.seen_all(observations(mount)).seen_all(sent_again(mount)))
}

fn rtt_ms(mount: &Rates) -> f64 {
    mount.mean_ms(|operation| operation.rtt_ms).unwrap_or(0.0)
}

fn line(mount: &Rates) -> String {
    let (server, rtt, rate) = (mount.server(), number_text(rtt_ms(mount)), number_text(mount.per_s()));
    format!("{server} answers in {rtt} ms at {rate}/s, {} in flight", number_text(mount.in_flight()))
}

fn sent_again(mount: &Rates) -> Option<Observation> {
    let total = mount.total();
    let again = total.transmissions.saturating_sub(total.operations);
    (again > 0).then(|| Observation::new(SOURCE, "sent again", again))
}

fn remedy(mount: &Rates) -> Remedy {
    let target =
        Derived::new("a tier that answers in 1 to 2 ms, or no operations at all", "T = K·R for N ≤ S")
            .input("R", format!("{} ms", number_text(rtt_ms(mount))), "mountstats Δrtt/Δops")
            .input("N", number_text(mount.in_flight()), "mountstats Δrtt/Δt");
    let place = format!("the provider of {}", mount.mount.device);
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .coupled_with("on burst-credit storage: BurstCreditBalance and PermittedThroughput at the provider")
        .risks("a faster tier costs money for ever; code on a local disk costs nothing");
    Remedy::new(
        "Look at the server: credits, tier, its disks, the network",
        "rtt per operation falls below 10 ms",
    )
    .change(change)
}
