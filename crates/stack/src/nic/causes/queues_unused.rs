//! A device has queues for more CPUs than it uses.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::irq::rates::softirq_shares;
use crate::nic::Interface;
use crate::nic::queues::more_queues;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nic.queues-unused",
    title: "A network interface uses fewer queues than it could",
    explains: &["cpu.softirq-high"],
    refutes: &[],
    document: include_str!("queues_unused.md"),
    test,
};

/// From this share of one CPU on, more queues give back what bursts need.
const BUSY: f64 = 0.4;
/// Below this share more queues change nothing that can be measured.
const MEASURABLE: f64 = 0.05;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nic = evidence.latest(|reading| &reading.nic)?;
    let hardware = nic.hardware()?;
    if hardware.is_empty() {
        return Ok(Outcome::ruled_out("no interface with hardware in this network namespace"));
    }
    let cpus = evidence.latest(|reading| &reading.irq)?.columns.len();
    let counted: Vec<_> = hardware.into_iter().filter(|interface| counts(interface).is_some()).collect();
    if counted.is_empty() {
        return Err(Missing::new(
            "queue counts of the driver (ETHTOOL_MSG_CHANNELS_GET)",
            "compare `ethtool -l INTERFACE`",
        ));
    }
    let Some((interface, remedy)) = counted.iter().find_map(|one| Some((*one, more_queues(one, cpus)?)))
    else {
        let outcome = Outcome::ruled_out(format!("every queue is in use that the CPUs ({cpus}) can serve"));
        return Ok(outcome.seen_all(counted.iter().filter_map(|interface| observation(interface))));
    };
    let (now, most) = counts(interface).unwrap_or_default();
    let line = format!("{} uses {now} of {most} queue pairs for {cpus} CPUs", interface.name);
    let busiest = softirq_shares(evidence).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let outcome = match busiest {
        None => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "/proc/stat softirq of each CPU",
            "whether it matters: read /proc/stat twice",
        )),
        Some((cpu, share)) => {
            let line = format!(
                "{line}; CPU {cpu} spends {} % in soft interrupts",
                number_text((share * 100.0).round())
            );
            match share {
                share if share >= BUSY => {
                    let times = number_text((10.0 / share).round() / 10.0);
                    Outcome::confirmed(Severity::Latent, format!("{line}, full at {times}×")).remedy(remedy)
                }
                share if share >= MEASURABLE => Outcome::confirmed(Severity::Hygiene, line).remedy(remedy),
                _ => Outcome::ruled_out(line),
            }
        }
    };
    Ok(outcome.seen_all(observation(interface)))
}

fn counts(interface: &Interface) -> Option<(u32, u32)> {
    let channels = interface.channels.as_ref()?;
    Some((channels.combined?, channels.combined_max?))
}

fn observation(interface: &Interface) -> Option<Observation> {
    let (now, most) = counts(interface)?;
    Some(Observation::new(
        "ETHTOOL_MSG_CHANNELS_GET",
        format!("{} combined", interface.name),
        format!("{now} of {most}"),
    ))
}
