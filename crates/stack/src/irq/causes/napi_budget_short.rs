//! Polling stops with work left although its CPU has room.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::irq::rates::{CpuRates, hottest, rates};
use crate::nic;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.napi-budget-short",
    title: "Polling stops with packets left",
    explains: &["nic.receive-drops"],
    refutes: &[],
    document: include_str!("napi_budget_short.md"),
    test,
};

/// Stopping less often is normal at the end of a burst.
const LEAST_PER_S: f64 = 1.0;
/// From here on turns are too short as a rule; below that nothing but a loss makes them a fault.
const OFTEN_PER_S: f64 = 10.0;
/// From this share of soft interrupts on, a longer turn takes time that the CPU does not have.
const FULL: f64 = 0.8;
/// One CPU with three times the mean: spread the work first.
const SKEW: f64 = 3.0;
/// Overflows of a receive ring per second from which on the short turns cost packets.
const LOSING_PER_S: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let cpus = rates(evidence)?;
    let worst = cpus.iter().max_by(|a, b| a.squeezed_per_s.total_cmp(&b.squeezed_per_s));
    let Some(worst) = worst else {
        return Err(Missing::new(
            "/proc/net/softnet_stat of two readings",
            "read it on the host, not in a container",
        ));
    };
    let line = format!("CPU {} stopped {}/s with packets left", worst.cpu, number_text(worst.squeezed_per_s));
    let skewed =
        cpus.len() >= 3 && hottest(&cpus).is_some_and(|(hot, skew)| hot.cpu == worst.cpu && skew >= SKEW);
    let outcome = match worst.softirq {
        _ if worst.squeezed_per_s < LEAST_PER_S => Outcome::ruled_out(line),
        Some(share) if share >= FULL => {
            Outcome::ruled_out(format!("{line}, and is full: longer turns give it nothing"))
        }
        _ if skewed => Outcome::consistent(
            Severity::Hygiene,
            format!("{line}; it does the work of all: spread that first"),
        ),
        None => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "/proc/stat softirq of each CPU",
            "whether the CPU has room: read /proc/stat",
        )),
        Some(_) => judge(evidence, worst, line),
    };
    Ok(outcome.seen_all(observations(evidence, worst)))
}

/// Short turns alone only move work to the next turn; while a ring overflows they cost packets.
fn judge(evidence: &Evidence, worst: &CpuRates, line: String) -> Outcome {
    let losing = evidence.span(|reading| &reading.nic).is_ok_and(|span| {
        let rates = nic::rates::rates(&span);
        rates.iter().any(|rate| rate.overflow().is_some_and(|overflow| overflow.per_s >= LOSING_PER_S))
    });
    let outcome = match losing {
        true => Outcome::confirmed(Severity::Limiting, line),
        false if worst.squeezed_per_s >= OFTEN_PER_S => Outcome::confirmed(Severity::Hygiene, line),
        false => {
            return Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
                "a packet lost meanwhile",
                "short turns cost little while the receive ring has room",
            ));
        }
    };
    let remedy = Some(remedy(evidence, worst)).filter(|remedy| !remedy.changes.is_empty());
    remedy.into_iter().fold(outcome, Outcome::remedy)
}

fn remedy(evidence: &Evidence, worst: &CpuRates) -> Remedy {
    let squeezed = format!("{}/s", number_text(worst.squeezed_per_s));
    let keys = [("net.core.netdev_budget", 300), ("net.core.netdev_budget_usecs", 2000)];
    let factors = [2, 4];
    let remedy = Remedy::new("Let polling take longer turns", "time_squeeze falls below 1/s")
        .lowers("softnet.time_squeeze/s");
    keys.iter().zip(factors).fold(remedy, |remedy, ((key, default), factor)| {
        // A kernel before Linux 4.12 has no limit in microseconds.
        let Some(now) = evidence.settings.number(key) else { return remedy };
        let target = Derived::new(default * factor, &format!("{factor} × the kernel's default"))
            .input("default", default, "net/core/dev.c")
            .input("time_squeeze", &squeezed, "/proc/net/softnet_stat column 3");
        if now >= i64::from(default * factor) {
            return remedy;
        }
        let change = Change::sysctl(key, Some(now.to_string()), target)
            .owned_by(evidence.settings.owner(key))
            .coupled_with("netdev_budget and netdev_budget_usecs: a turn ends at whichever comes first")
            .risks("processes on this CPU wait longer for their turn");
        remedy.change(change)
    })
}

fn observations(evidence: &Evidence, worst: &CpuRates) -> Vec<Observation> {
    let seen =
        |source: &str, field: String, value: f64, unit| Observation::new(source, field, value).unit(unit);
    let mut seen_all = vec![seen(
        "/proc/net/softnet_stat",
        format!("time_squeeze of CPU {} (column 3)", worst.cpu),
        worst.squeezed_per_s,
        "/s",
    )];
    seen_all.extend(
        worst
            .softirq
            .map(|share| seen("/proc/stat", format!("softirq of cpu{}", worst.cpu), share * 100.0, "%")),
    );
    for key in ["net.core.netdev_budget", "net.core.netdev_budget_usecs"] {
        seen_all.extend(evidence.settings.value(key).map(|value| Observation::new("/proc/sys", key, value)));
    }
    seen_all
}
