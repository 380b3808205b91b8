//! Closed connections near their limit, or a limit beyond the host's memory.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::folklore::{Origin, origin};
use crate::sockets::{counters, parameters};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.orphans-near-limit",
    title: "Closed connections are near their limit, or the limit is beyond memory",
    explains: &[],
    refutes: &[],
    document: include_str!("orphans_near_limit.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_max_orphans";
const ABORTS: &str = "TcpExt.TCPAbortOnMemory";
/// From this share on the limit is met at twice today's load.
const NEAR: f64 = 0.5;
/// The kernel shifts the count of an idle or stalled orphan by up to two bits (`tcp_out_of_resources`): the limit acts
/// from a quarter on.
const ACTS: f64 = 0.25;
/// The most that an orphan holds and cannot be swapped out.
const BYTES_EACH: f64 = 65_536.0;
/// The share of memory that orphans may hold.
const MEMORY_SHARE: f64 = 0.05;

#[expect(clippy::cast_precision_loss, reason = "counts of sockets, bytes of memory")]
fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let limit = parameters::number(evidence, KEY)?;
    let facts = evidence.latest(|reading| &reading.sockets)?;
    let orphans = facts.sockstat.get("TCP.orphan").copied().ok_or_else(|| {
        Missing::new(
            "TCP orphan in /proc/net/sockstat",
            "read the host itself, not a container without /proc/net",
        )
    })?;
    let share = orphans as f64 / (limit.max(1) as f64);
    let percent = number_text((share * 1000.0).round() / 10.0);
    let line =
        format!("{} orphans, {percent} % of {}", number_text(orphans as f64), number_text(limit as f64));
    let aborts =
        evidence.span(|reading| &reading.sockets).and_then(|span| counters::per_second(&span, ABORTS));
    let aborts = aborts.ok();
    let outcome = if share >= ACTS && aborts.is_some_and(|per_s| per_s > 0.0) {
        Outcome::confirmed(
            Severity::Breaking,
            format!("{line}; {}/s reset", number_text(aborts.unwrap_or(0.0))),
        )
        .remedy(find_them(orphans))
    } else if share >= NEAR {
        let times = number_text((10.0 / share).floor().max(10.0) / 10.0);
        Outcome::confirmed(Severity::Latent, format!("{line}; full at {times}× this load"))
            .remedy(find_them(orphans))
    } else {
        beyond_memory(evidence, limit, orphans, line)?
    };
    Ok(outcome
        .seen(Observation::new("/proc/net/sockstat", "TCP orphan", orphans).unit("sockets"))
        .seen_all(
            facts.sockstat.get("TCP.tw").map(|tw| Observation::new("/proc/net/sockstat", "TCP tw", *tw)),
        )
        .seen_all(parameters::seen(evidence, KEY))
        .seen_all(aborts.map(|per_s| counters::seen_per_second(ABORTS, per_s))))
}

fn find_them(orphans: u64) -> Remedy {
    let target = Derived::new(
        "fewer closed sockets with unsent data",
        "orphans below half of tcp_max_orphans",
    )
    .input("orphans", orphans, "/proc/net/sockstat TCP orphan");
    let place = "the service whose clients vanish: `ss -tan state fin-wait-1 state last-ack state closing`";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target).risks(
        "raising tcp_max_orphans instead lets each of them hold up to 64 KB that cannot be swapped out",
    );
    Remedy::new("Find who closes connections with unsent data", "orphans fall below half of the limit")
        .change(change)
}

/// Whether someone raised the limit to what memory cannot hold. The kernel's own choice is never held against it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of sockets, bytes of memory; the target is clamped first"
)]
fn beyond_memory(evidence: &Evidence, limit: i64, orphans: u64, line: String) -> Result<Outcome, Missing> {
    let own = parameters::half_of_hash(evidence, "net.ipv4.tcp_max_tw_buckets");
    let Origin::Someone(_) = origin(evidence, KEY, limit, own)? else { return Ok(Outcome::ruled_out(line)) };
    let Some(memory) = evidence.host.memory_bytes.map(|bytes| bytes as f64) else {
        return Err(Missing::new("MemTotal in /proc/meminfo", "read it on the host itself"));
    };
    let worst = limit as f64 * BYTES_EACH;
    if worst <= memory * MEMORY_SHARE {
        return Ok(Outcome::ruled_out(line));
    }
    let gib = |bytes: f64| format!("{} GiB", number_text((bytes / f64::from(1 << 30) * 10.0).round() / 10.0));
    let wanted = (memory * MEMORY_SHARE / BYTES_EACH).max(orphans as f64 * 4.0).max(1024.0) as u64;
    let formula = "max(5 % of memory / 64 KB, 4 × orphans now, 1024)";
    let target = Derived::new(wanted, formula).input("memory", gib(memory), "/proc/meminfo MemTotal").input(
        "orphans",
        orphans,
        "/proc/net/sockstat TCP orphan",
    );
    let change = Change::sysctl(KEY, Some(limit.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("above the limit, closed connections with unsent data are reset");
    let summary = format!("{line}; at the limit they may hold {} of {}", gib(worst), gib(memory));
    let remedy = Remedy::new("Bound closed connections by memory", "orphans stay below half of the limit");
    Ok(Outcome::confirmed(Severity::Hygiene, summary).remedy(remedy.change(change)))
}
