//! Requests that wait for a slot of the NFS session.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{LEAST_PER_S, NONE, SOURCE, mounted, observations};
use crate::nfs::rates::{QUEUED, Server, servers};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.slot-exhaustion",
    title: "NFS requests wait for a session slot",
    explains: &["nfs.latency-high", "tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[],
    document: include_str!("slot_exhaustion.md"),
    test,
};

/// Below this ratio of time queued to time on the wire, slots are free.
const FREE: f64 = 0.1;
/// Fewer requests than this in the queue, on average, hold no one up.
const NOTICEABLE: f64 = 0.1;
/// From one request in the queue on, on average, the queue is there all the time.
const ALWAYS: f64 = 1.0;
/// A session with a smaller share of its slots in use on average is not full; what queues, queues for something else.
const FULL: f64 = 0.5;
/// A page that includes this many files asks this many times in a row.
const OPERATIONS_IN_A_ROW: f64 = 180.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let servers = servers(&span);
    let with_session = servers.iter().filter(|server| server.mount.mount.has_session());
    let Some(server) = with_session.max_by(|a, b| a.waiting.total_cmp(&b.waiting)) else {
        return Ok(Outcome::ruled_out(
            "no mount with counters uses NFS 4.1 or later, so no session bounds it",
        ));
    };
    if server.per_s < LEAST_PER_S {
        return Ok(Outcome::ruled_out(format!("{} operations/s: nothing queues", number_text(server.per_s))));
    }
    let ratio = server.waiting / server.in_flight.max(f64::EPSILON);
    let full = server.slots.is_some_and(|slots| server.in_flight >= FULL * slots);
    let outcome = if ratio < FREE || server.waiting < NOTICEABLE {
        Outcome::ruled_out(line(server, ratio))
    } else if server.mount.data().rtt_ms > server.mount.metadata().rtt_ms {
        Outcome::consistent(Severity::Hygiene, line(server, ratio)).lacks(Missing::new(
            "a queue of metadata",
            "a bulk transfer fills any table of slots; look again when no large file is read or written",
        ))
    } else if ratio > QUEUED && server.waiting >= ALWAYS && full {
        let max = span.last.max_session_slots;
        Outcome::confirmed(Severity::Limiting, line(server, ratio))
            .remedy(fewer_operations(server))
            .remedy(more_slots(server, max))
    } else {
        Outcome::consistent(Severity::Latent, line(server, ratio)).lacks(Missing::new(
            "a queue of at least one request and a session in full use",
            "look at the `q:` column of /sys/kernel/debug/sunrpc/rpc_clnt/*/tasks under load: \
             \"ForeChannel Slot table\" is the slot queue",
        ))
    };
    Ok(outcome.seen_all(observations(&server.mount)).seen_all(model(server)))
}

fn line(server: &Server, ratio: f64) -> String {
    let slots = server.slots.map_or_else(String::new, |slots| format!(" over {} slots", number_text(slots)));
    let (flying, waiting) = (number_text(server.in_flight), number_text(server.waiting));
    format!("{flying} in flight{slots}, {waiting} wait; queue/rtt {}", number_text(ratio))
}

/// Seconds that a row of operations takes: T = K·R·max(1, N/S), for tasks that each have one request outstanding.
fn in_a_row_s(server: &Server) -> Option<f64> {
    let tasks = server.in_flight + server.waiting;
    let service_s = server.in_flight / server.per_s;
    Some(OPERATIONS_IN_A_ROW * service_s * (tasks / server.slots?).max(1.0))
}

fn model(server: &Server) -> Vec<Observation> {
    let mut seen = Vec::new();
    if let Some((_, received)) = server.mount.replies {
        let seconds = server.mount.seconds;
        let per_s = u32::try_from(received).map_or(f64::from(u32::MAX), f64::from) / seconds;
        seen.push(
            Observation::new(SOURCE, "xprt receives, so it is a queue and no deadlock", per_s).unit("/s"),
        );
    }
    seen.extend(in_a_row_s(server).map(|seconds| {
        Observation::new("T = K·R·max(1, N/S)", format!("{OPERATIONS_IN_A_ROW} operations in a row"), seconds)
            .unit("s")
    }));
    seen
}

fn fewer_operations(server: &Server) -> Remedy {
    let target =
        Derived::new("opcache.validate_timestamps=0 for immutable code", "T = K·R·max(1, N/S); K → 0")
            .input("N", number_text(server.in_flight + server.waiting), "mountstats Δ(rtt + queue)/Δt")
            .input("S", server.slots.map_or_else(|| "unknown".to_owned(), number_text), "session slots")
            .input(
                "R",
                format!("{} ms", number_text(server.in_flight / server.per_s * 1000.0)),
                "mountstats Δrtt/Δops",
            );
    let change = Change::new(ChangeKind::Elsewhere { place: "PHP configuration".to_owned() }, None, target)
        .restarts("reload PHP-FPM after every deployment")
        .risks("code changed in place is not seen; updates from the WordPress admin need validation on")
        .coupled_with("where validation must stay on: actimeo at least 10 × opcache.revalidate_freq");
    Remedy::new("Ask the server less often: OPcache without validation", "NFS operations/s fall towards 0")
        .change(change)
}

/// More slots help only where the client set the limit; a server that grants fewer has to be asked.
fn more_slots(server: &Server, max_session_slots: Option<u64>) -> Remedy {
    let moves =
        "queue/rtt falls below 0.1 and operations/s rise; if rtt rises instead, the server is the limit";
    let (tasks, slots) = (server.in_flight + server.waiting, server.slots.unwrap_or_default());
    let granted = server.mount.mount.slots_used();
    if let (Some(max), Some(granted)) = (max_session_slots, granted.filter(|granted| *granted > 0))
        && granted.saturating_mul(4) < max.saturating_mul(3)
    {
        let target =
            Derived::new(format!("at least {tasks:.0} slots per session"), "slots ≥ tasks inside NFS")
                .input("slots in use at most", granted, "mountstats xprt max_slots")
                .input("slots asked for", max, "/sys/module/nfs/parameters/max_session_slots");
        let change =
            Change::new(ChangeKind::Elsewhere { place: format!("NFS server {}", server.name) }, None, target)
                .risks("a managed server may not offer it; then only fewer operations help");
        return Remedy::new(format!("Have the server grant more than {granted} slots"), moves).change(change);
    }
    let wanted = (128.0_f64).max(tasks * 1.5).min(256.0);
    let wanted = if wanted > 128.0 { 256 } else { 128 };
    let target = Derived::new(wanted, "128, or 256 where 1.5 × tasks inside NFS exceed 128")
        .input("tasks inside NFS", number_text(tasks), "mountstats Δ(rtt + queue)/Δt")
        .input("slots now", number_text(slots), "/sys/module/nfs/parameters/max_session_slots");
    let change = Change::new(
        ChangeKind::ModuleParameter { name: "nfs.max_session_slots".to_owned() },
        max_session_slots.map(|slots| slots.to_string()),
        target,
    )
    .persists_by("/etc/modprobe.d/90-narrows.conf")
    .restarts("umount and mount every mount of this server: slots are agreed when the session begins")
    .risks("the server may grant fewer; nconnect adds connections, not slots")
    .coupled_with("the server's own limit on slots (ca_maxrequests)");
    Remedy::new("Ask for more session slots", moves).lowers("nfs.queue_ms").change(change)
}
