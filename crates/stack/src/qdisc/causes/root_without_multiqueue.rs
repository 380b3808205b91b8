//! One queue, and one lock, in front of a device of many.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::irq::rates::softirq_shares;
use crate::qdisc::rates::{Root, is_hardware, is_replaceable, roots};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.root-without-multiqueue",
    title: "One queue in front of a device with several",
    explains: &["cpu.softirq-high"],
    refutes: &[],
    document: include_str!("root_without_multiqueue.md"),
    test,
};

/// Roots that give each transmit queue of the device its own discipline, or that queue nothing.
const MULTIQUEUE: [&str; 7] = ["mq", "mqprio", "taprio", "multiq", "noqueue", "noop", "cake_mq"];
/// From this share of one CPU on, a shared lock is felt.
const BUSY: f64 = 0.4;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let roots = roots(evidence)?;
    let nic = evidence.latest(|reading| &reading.nic)?;
    nic.hardware()?;
    let queues = |root: &Root| {
        let interface = nic.interfaces.iter().find(|interface| interface.name == root.qdisc.interface);
        interface.map_or(0, |interface| interface.transmit_queues.len())
    };
    let single = roots.iter().filter(|root| {
        is_hardware(evidence, &root.qdisc.interface)
            && queues(root) > 1
            && !MULTIQUEUE.contains(&root.qdisc.kind.as_str())
    });
    let Some(root) = single.max_by_key(|root| queues(root)) else {
        return Ok(Outcome::ruled_out(
            "every device with several transmit queues has mq at its root, or none has several",
        ));
    };
    let interface = &root.qdisc.interface;
    let count = queues(root);
    let line = format!("{} at the root of {interface}, which has {count} transmit queues", root.qdisc.kind);
    let busiest = softirq_shares(evidence).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let outcome = match busiest.filter(|(_, share)| *share >= BUSY) {
        Some((cpu, share)) => {
            let line = format!("{line}; CPU {cpu} full at {}×", number_text((10.0 / share).round() / 10.0));
            Outcome::confirmed(Severity::Latent, line)
        }
        None => Outcome::confirmed(Severity::Hygiene, line),
    };
    let seen = |field: &str, value: f64, unit| {
        Observation::new("RTM_GETQDISC", format!("{interface} {field}"), value).unit(unit)
    };
    let kind = Observation::new("RTM_GETQDISC", format!("{interface} root"), root.qdisc.kind.as_str());
    let outcome = outcome.seen(kind).seen(seen("overlimits", root.overlimits_per_s, "/s"));
    Ok(outcome.remedy(remedy(evidence, root, count)))
}

fn remedy(evidence: &Evidence, root: &Root, count: usize) -> Remedy {
    let key = "net.core.default_qdisc";
    let below = evidence.settings.value(key).unwrap_or("fq_codel").to_owned();
    let interface = &root.qdisc.interface;
    let target =
        Derived::new("mq", "mq puts a discipline of the default kind below, one for each transmit queue")
            .input("transmit queues", count, &format!("/sys/class/net/{interface}/queues"))
            .input("default", below, key);
    let facts = evidence.latest(|reading| &reading.qdisc);
    let what = match facts.is_ok_and(|facts| is_replaceable(facts, root.qdisc)) {
        true => ChangeKind::Qdisc { interface: interface.clone() },
        false => ChangeKind::Elsewhere {
            place: format!(
                "what attaches {} to {interface}: its classes or its rate may be meant",
                root.qdisc.kind
            ),
        },
    };
    let change = Change::new(what, Some(root.qdisc.kind.clone()), target)
        .persists_by("taking out what attaches the present one (a unit, ifupdown, a script)")
        .risks("a shaper at the root no longer shapes: keep it where this host's own link is the bottleneck");
    Remedy::new(
        format!("Give each transmit queue of {interface} its own discipline"),
        "soft interrupts of the busiest CPU fall",
    )
    .change(change)
}
