//! One CPU does the receive work of the whole host.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use super::spread::{self, Placement};
use crate::irq::rates::{CpuRates, hottest, rates};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.skew",
    title: "One CPU does the network work of all",
    explains: &["cpu.softirq-high", "irq.packets-dropped", "nic.receive-drops"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "interrupt time is charged to irq and softirq, never to I/O wait",
    }],
    document: include_str!("skew.md"),
    test,
};

/// One CPU with three times the mean; two CPUs can never be that far apart.
const SKEW: f64 = 3.0;
/// From this share of one CPU on, what is left of it no longer absorbs bursts.
const BUSY: f64 = 0.4;
/// From this share on it is at its limit: at 80 % an M/M/1 queue holds 4 packets for each one served.
const FULL: f64 = 0.8;
/// Below this share the limit is more than four times today's load away, whatever the counters look like.
const NEAR: f64 = 0.25;
/// Packets per second whose loss is more than one unlucky burst.
const LOSING_PER_S: f64 = 1.0;
/// Polling that stops with work left this often per second is a CPU that falls behind in bursts.
const SQUEEZED_PER_S: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let cpus = rates(evidence)?;
    if cpus.is_empty() {
        return Err(Missing::new(
            "/proc/net/softnet_stat of two readings",
            "read it on the host, not in a container",
        ));
    }
    if cpus.len() < 3 {
        let count = wording::cpus_in(&cpus);
        return Ok(Outcome::ruled_out(format!("{count}: one cannot do {SKEW} times the mean")));
    }
    let Some((hot, skew)) = hottest(&cpus) else {
        return Ok(Outcome::ruled_out("no packet was received in the window"));
    };
    let outcome = match hot.softirq {
        _ if skew < SKEW => {
            Outcome::ruled_out(format!("the busiest CPU does {} times the mean", number_text(skew)))
        }
        None if !squeezed_or_dropping(hot) => return Err(unread_share()),
        _ => judge(evidence, hot, skew),
    };
    Ok(outcome.seen_all(observations(hot, skew)))
}

fn squeezed_or_dropping(hot: &CpuRates) -> bool {
    hot.squeezed_per_s >= SQUEEZED_PER_S || hot.dropped_per_s > 0.0
}

fn unread_share() -> Missing {
    Missing::new(
        "/proc/stat softirq of each CPU",
        "read /proc/stat on the host; without it a skew may be harmless",
    )
}

fn unread_affinity() -> Missing {
    Missing::new(
        "/proc/irq/*/effective_affinity_list",
        "where the interrupts go: read it on the host itself, as root",
    )
}

fn judge(evidence: &Evidence, hot: &CpuRates, skew: f64) -> Outcome {
    let placement = spread::placement(evidence, hot.cpu);
    let line = line(hot, skew);
    let matters = squeezed_or_dropping(hot) || hot.softirq.is_some_and(|share| share >= BUSY);
    match placement {
        Placement::Elsewhere => Outcome::ruled_out(format!("{line}; no network interrupt goes there: loopback or RPS")),
        Placement::Unseen if matches!(severity(hot), Severity::Hygiene) || !matters => Outcome::ruled_out(line),
        Placement::Unseen => Outcome::consistent(severity(hot), line).lacks(Missing::new(
            "the network interrupts of this machine",
            "run narrows on the host itself: a container sees the soft interrupts of the host, not its interfaces",
        )),
        Placement::OneCpu { vectors } if !matters => Outcome::consistent(
            Severity::Hygiene,
            format!("{vectors} network interrupts all go to CPU {}; {}", hot.cpu, room(hot)),
        ),
        _ if !matters => Outcome::ruled_out(format!("{line}: far from its limit")),
        _ => {
            let outcome = confirmed(hot, line, placement != Placement::Unplaced);
            spread::remedies(evidence, hot).into_iter().fold(outcome, Outcome::remedy)
        }
    }
}

fn confirmed(hot: &CpuRates, line: String, placed: bool) -> Outcome {
    let outcome = Outcome::confirmed(severity(hot), line);
    let outcome = if hot.softirq.is_none() { outcome.lacks(unread_share()) } else { outcome };
    if placed { outcome } else { outcome.lacks(unread_affinity()) }
}

fn severity(hot: &CpuRates) -> Severity {
    match hot.softirq {
        _ if hot.dropped_per_s >= LOSING_PER_S => Severity::Breaking,
        Some(share) if share >= FULL => Severity::Limiting,
        Some(share) if share >= NEAR => Severity::Latent,
        _ => Severity::Hygiene,
    }
}

fn line(hot: &CpuRates, skew: f64) -> String {
    let mut parts =
        vec![format!("CPU {} does {}× the mean", hot.cpu, number_text((skew * 10.0).round() / 10.0))];
    parts.extend(hot.softirq.map(|share| format!("{} % of it in soft interrupts", percent(share))));
    if hot.dropped_per_s > 0.0 {
        parts.push(format!("{} packets/s dropped", number_text(hot.dropped_per_s)));
    }
    if hot.squeezed_per_s >= SQUEEZED_PER_S {
        parts.push(format!("squeezed {}/s", number_text(hot.squeezed_per_s)));
    }
    if severity(hot) == Severity::Latent {
        parts.push(room(hot));
    }
    parts.join(", ")
}

/// At which multiple of today's load the CPU is full.
fn room(hot: &CpuRates) -> String {
    match hot.softirq.filter(|share| *share > 0.0) {
        Some(share) => format!("full at {}× the load", number_text((10.0 / share).round() / 10.0)),
        None => "no measurable load".to_owned(),
    }
}

fn percent(share: f64) -> String {
    number_text((share * 1000.0).round() / 10.0)
}

fn observations(hot: &CpuRates, skew: f64) -> Vec<Observation> {
    let cpu = hot.cpu;
    let seen =
        |source: &str, field: String, value: f64, unit| Observation::new(source, field, value).unit(unit);
    let softnet = "/proc/net/softnet_stat";
    let mut seen_all = vec![
        seen("/proc/softirqs", format!("NET_RX of CPU {cpu}"), hot.receive_runs_per_s, "/s"),
        seen("max(NET_RX) ÷ mean(NET_RX)", "skew".to_owned(), skew, "×"),
        seen(softnet, format!("time_squeeze of CPU {cpu} (column 3)"), hot.squeezed_per_s, "/s"),
        seen(softnet, format!("dropped of CPU {cpu} (column 2)"), hot.dropped_per_s, "/s"),
    ];
    seen_all.extend(
        hot.softirq.map(|share| seen("/proc/stat", format!("softirq of cpu{cpu}"), share * 100.0, "%")),
    );
    seen_all
}
