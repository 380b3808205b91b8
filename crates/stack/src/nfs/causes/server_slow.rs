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

/// A session that is full makes a server slow by itself, but a healthy one answers N requests in N ms even if it serves
/// them one at a time. Beyond three times that, it is slow whatever queues.
const SLOW_FOR_EACH_IN_FLIGHT_MS: f64 = 3.0;

/// Reads and writes of 1 MiB that are sent many at once take 100 ms at 100 Mbit/s without any fault.
const SLOW_DATA_MS: f64 = 100.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let rates = rates(&span);
    let asked = |mount: &&Rates| mount.metadata().per_s(mount.seconds) >= LEAST_PER_S;
    let Some(mount) = rates.iter().filter(asked).max_by(|a, b| rtt_ms(a).total_cmp(&rtt_ms(b))) else {
        return Ok(data_only(&rates));
    };
    let by_its_own_queue = mount.in_flight() * SLOW_FOR_EACH_IN_FLIGHT_MS;
    let queued = mount.queue_ratio().unwrap_or(0.0) > QUEUED && rtt_ms(mount) <= by_its_own_queue;
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

/// Without metadata, only very slow data may mean a slow server.
fn data_only(rates: &[Rates]) -> Outcome {
    let data_ms = |mount: &Rates| mount.data().mean_ms(mount.data().rtt_ms);
    let used = rates.iter().filter(|mount| mount.data().per_s(mount.seconds) >= LEAST_PER_S);
    match used.max_by(|a, b| data_ms(a).total_cmp(&data_ms(b))) {
        Some(mount) if data_ms(mount) >= SLOW_DATA_MS => Outcome::consistent(
            Severity::Hygiene,
            format!("{} answers reads and writes in {} ms", mount.server(), number_text(data_ms(mount))),
        )
        .lacks(Missing::new(
            "metadata operations",
            "data takes as long as its bytes and is sent many at once: look again while files are opened",
        ))
        .seen_all(observations(mount)),
        _ => Outcome::ruled_out(format!("no mount does {LEAST_PER_S} metadata operations/s")),
    }
}

fn rtt_ms(mount: &Rates) -> f64 {
    mount.metadata().mean_ms(mount.metadata().rtt_ms)
}

fn line(mount: &Rates) -> String {
    let rate = number_text(mount.metadata().per_s(mount.seconds));
    let (server, rtt) = (mount.server(), number_text(rtt_ms(mount)));
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
