//! The per-CPU backlog queue is too short for the bursts it gets.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::irq::rates::{CpuRates, rates};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.backlog-short",
    title: "The per-CPU packet backlog overflows",
    explains: &["irq.packets-dropped"],
    refutes: &[
        Refutation {
            symptom: "sockets.connections-refused",
            because: "the backlog holds packets before TCP; accept queues have their own limit, Unix sockets never pass it",
        },
        Refutation {
            symptom: "nic.receive-drops",
            because: "a NAPI driver without packet steering empties its ring without the backlog queue",
        },
    ],
    document: include_str!("backlog_short.md"),
    test,
};

const KEY: &str = "net.core.netdev_max_backlog";
/// Fewer drops per second than this are one burst in the window.
const LEAST_PER_S: f64 = 1.0;
/// A longer queue only hides that the CPU is too slow: at 50,000 packets/s it is already a third of a second.
pub(super) const LONGEST: u64 = 16_384;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let cpus = rates(evidence)?;
    let worst = cpus.iter().max_by(|a, b| a.dropped_per_s.total_cmp(&b.dropped_per_s));
    let Some(worst) = worst else {
        return Err(Missing::new(
            "/proc/net/softnet_stat of two readings",
            "read it on the host, not in a container",
        ));
    };
    let dropped: f64 = cpus.iter().map(|cpu| cpu.dropped_per_s).sum();
    let limited: f64 = cpus.iter().map(|cpu| cpu.flow_limited_per_s).sum();
    let line = format!("CPU {} drops {} packets/s", worst.cpu, number_text(worst.dropped_per_s));
    let outcome = if dropped <= 0.0 {
        Outcome::ruled_out(format!("none of {} dropped a packet", wording::cpus_in(&cpus)))
    } else if limited * 2.0 >= dropped {
        Outcome::ruled_out(format!("{line}: the flow limit does that, to spare other flows"))
    } else if dropped < LEAST_PER_S {
        Outcome::consistent(Severity::Hygiene, line)
            .lacks(Missing::new("drops at a steady rate", "watch for longer: this was a single burst"))
    } else {
        overflowing(evidence, worst, line)
    };
    Ok(outcome.seen_all(observations(evidence, &cpus)))
}

fn overflowing(evidence: &Evidence, worst: &CpuRates, line: String) -> Outcome {
    let limit = evidence.settings.number(KEY).and_then(|limit| u64::try_from(limit).ok());
    match limit {
        None => Outcome::confirmed(Severity::Breaking, line)
            .lacks(Missing::new(KEY, "read /proc/sys/net/core/netdev_max_backlog on the host")),
        Some(limit) if limit >= LONGEST => {
            let line = format!("{line} although {} fit: the CPU is too slow", number_text(as_number(limit)));
            Outcome::confirmed(Severity::Breaking, line).remedy(relieve(worst))
        }
        Some(limit) => Outcome::confirmed(Severity::Breaking, format!("{line}; {limit} fit"))
            .remedy(lengthen(evidence, limit, worst)),
    }
}

fn lengthen(evidence: &Evidence, limit: u64, worst: &CpuRates) -> Remedy {
    let target = Derived::new(limit.max(500).saturating_mul(2).min(LONGEST), "min(2 × limit, 16384)")
        .input("limit", limit, KEY)
        .input("drops", format!("{}/s", number_text(worst.dropped_per_s)), "/proc/net/softnet_stat column 2");
    let change = Change::sysctl(KEY, Some(limit.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("packets wait longer while the CPU is behind; each may hold 2 KiB of memory. Double again only while drops go on");
    Remedy::new("Double the per-CPU packet backlog", "softnet_stat column 2 stops growing")
        .lowers("softnet.dropped/s")
        .change(change)
}

fn relieve(worst: &CpuRates) -> Remedy {
    let target = Derived::new(
        "less work per packet, or more CPUs for it",
        "the queue is as long as is of use",
    )
    .input("CPU", worst.cpu, "/proc/net/softnet_stat");
    let place = "what sends over loopback, veth or packet steering to this CPU".to_owned();
    Remedy::new(format!("Relieve CPU {}", worst.cpu), "softnet_stat column 2 stops growing")
        .change(Change::new(ChangeKind::Elsewhere { place }, None, target))
}

fn observations(evidence: &Evidence, cpus: &[CpuRates]) -> Vec<Observation> {
    let source = "/proc/net/softnet_stat";
    let mut dropping: Vec<_> = cpus.iter().filter(|cpu| cpu.dropped_per_s > 0.0).collect();
    dropping.sort_by(|a, b| b.dropped_per_s.total_cmp(&a.dropped_per_s));
    let mut seen: Vec<_> = dropping
        .iter()
        .take(8)
        .map(|cpu| {
            Observation::new(source, format!("dropped of CPU {} (column 2)", cpu.cpu), cpu.dropped_per_s)
                .unit("/s")
        })
        .collect();
    if let Ok(irq) = evidence.latest(|reading| &reading.irq) {
        let since_boot = irq.softnet.iter().fold(0_u64, |sum, row| sum.saturating_add(row.dropped));
        seen.push(Observation::new(source, "dropped since boot, all CPUs", since_boot).unit("packets"));
    }
    seen.extend(
        evidence.settings.value(KEY).map(|limit| Observation::new("/proc/sys", KEY, limit).unit("packets")),
    );
    seen
}

#[expect(clippy::cast_precision_loss, reason = "a limit in packets")]
fn as_number(limit: u64) -> f64 {
    limit as f64
}
