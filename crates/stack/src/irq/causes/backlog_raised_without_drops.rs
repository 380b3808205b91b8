//! The backlog limit was raised although nothing is dropped there.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use super::backlog_short::LONGEST;
use crate::irq::rates::rates;
use crate::settings::edits;
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.backlog-raised-without-drops",
    title: "The packet backlog is raised and nothing is dropped there",
    explains: &[],
    refutes: &[Refutation {
        symptom: "sockets.connections-refused",
        because: "netdev_max_backlog bounds packets before TCP; a listen queue, TCP or Unix, never looks at it",
    }],
    document: include_str!("backlog_raised_without_drops.md"),
    test,
};

const KEY: &str = "net.core.netdev_max_backlog";
/// The kernel's own value (net/core/hotdata.c, earlier net/core/dev.c).
const DEFAULT: u64 = 1000;
/// Raised beyond doubt: two doublings would still have had a reason.
const RAISED: u64 = 4 * DEFAULT;
/// What a waiting packet of full size takes: `skb->truesize` of a 1,500-byte frame.
const PACKET_BYTES: u64 = 2304;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let limit = evidence.settings.number(KEY).and_then(|limit| u64::try_from(limit).ok());
    let Some(limit) = limit else {
        return Err(Missing::new(KEY, "read /proc/sys/net/core/netdev_max_backlog on the host"));
    };
    let cpus = rates(evidence)?;
    let irq = evidence.latest(|reading| &reading.irq)?;
    let since_boot = irq.softnet.iter().fold(0_u64, |sum, row| sum.saturating_add(row.dropped));
    let dropping = cpus.iter().any(|cpu| cpu.dropped_per_s > 0.0);
    let outcome = match limit {
        _ if cpus.is_empty() => {
            return Err(Missing::new("/proc/net/softnet_stat", "read it on the host, not in a container"));
        }
        limit if limit < RAISED => Outcome::ruled_out(format!("{KEY} is {limit}")),
        limit if dropping => Outcome::ruled_out(format!("{limit} places, and packets are dropped there")),
        limit if since_boot > 0 => Outcome::consistent(
            Severity::Folklore,
            format!("{limit} places; {} drops since boot, none now", number_text(as_number(since_boot))),
        )
        .lacks(Missing::new(
            "when these packets were dropped",
            "drops before the limit was raised would justify it",
        )),
        limit => folklore(evidence, limit),
    };
    let seen = Observation::new("/proc/net/softnet_stat", "dropped since boot, all CPUs", since_boot)
        .unit("packets");
    Ok(outcome.seen(Observation::new("/proc/sys", KEY, limit).unit("packets")).seen(seen))
}

fn folklore(evidence: &Evidence, limit: u64) -> Outcome {
    let outcome = Outcome::confirmed(
        Severity::Folklore,
        format!("{limit} places per CPU, and never a drop: NAPI drivers and Unix sockets do not use it"),
    );
    if limit > LONGEST { outcome.remedy(lower(evidence, limit)) } else { outcome }
}

/// Only a limit that is itself a risk is worth a change.
fn lower(evidence: &Evidence, limit: u64) -> Remedy {
    let mebibytes = limit.saturating_mul(PACKET_BYTES) >> 20;
    let target = Derived::new(DEFAULT, "the kernel's default, as nothing was ever dropped")
        .input("limit", limit, KEY)
        .input("memory", format!("{mebibytes} MiB per CPU"), "limit × 2304 bytes of a full packet");
    let change = Change::sysctl(KEY, Some(limit.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("bursts over loopback or steering may be dropped: softnet_stat column 2 would show it");
    let remedy =
        Remedy::new("Set the packet backlog back", format!("at most 3 MiB per CPU instead of {mebibytes}"));
    edits::restore(evidence, KEY, change).into_iter().fold(remedy, Remedy::change)
}

#[expect(clippy::cast_precision_loss, reason = "a count that is shown")]
fn as_number(count: u64) -> f64 {
    count as f64
}
