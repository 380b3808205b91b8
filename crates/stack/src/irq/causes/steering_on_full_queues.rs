//! Packet steering where the queues already reach every CPU.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nic::{Interface, ReceiveQueue};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "irq.steering-on-full-queues",
    title: "Packet steering on top of one queue per CPU",
    explains: &[],
    refutes: &[],
    document: include_str!("steering_on_full_queues.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nic = evidence.latest(|reading| &reading.nic)?;
    let irq = evidence.latest(|reading| &reading.irq)?;
    let hardware = nic.hardware()?;
    if hardware.is_empty() {
        return Ok(Outcome::ruled_out("no interface with hardware in this network namespace"));
    }
    let known = hardware.iter().any(|one| one.receive_queues.iter().any(|queue| queue.rps_cpus.is_some()));
    if !known || irq.columns.is_empty() {
        return Err(Missing::new(
            "/sys/class/net/*/queues/rx-*/rps_cpus",
            "a kernel with CONFIG_RPS, read on the host",
        ));
    }
    let steered = hardware.into_iter().filter(|one| one.receive_queues.iter().any(steers));
    let Some(interface) = steered.max_by_key(|interface| interface.receive_queues.len()) else {
        return Ok(Outcome::ruled_out("no packet steering on any interface"));
    };
    let (queues, cpus) = (interface.receive_queues.len(), irq.columns.len());
    let line = format!("{} steers packets; {queues} receive queues for {cpus} CPUs", interface.name);
    let outcome = if queues >= cpus && cpus > 1 {
        Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(interface, cpus))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome
        .seen_all(interface.receive_queues.iter().take(8).filter_map(|queue| observation(interface, queue))))
}

fn steers(queue: &ReceiveQueue) -> bool {
    queue.rps_cpus.as_deref().is_some_and(|mask| !host::text::cpu_mask(mask).is_empty())
}

fn observation(interface: &Interface, queue: &ReceiveQueue) -> Option<Observation> {
    let path = format!("/sys/class/net/{}/queues/rx-{}", interface.name, queue.index);
    Some(Observation::new(path, "rps_cpus", queue.rps_cpus.clone()?))
}

fn remedy(interface: &Interface, cpus: usize) -> Remedy {
    let remedy = Remedy::new(
        format!("Turn packet steering off on {}", interface.name),
        "received_rps of softnet_stat (column 10) stops growing",
    );
    let steered = interface.receive_queues.iter().filter(|queue| steers(queue));
    let change = |queue: &ReceiveQueue| {
        let target = Derived::new("0", "off, as queues ≥ CPUs")
            .input("queues", interface.receive_queues.len(), "/sys/class/net/*/queues")
            .input("CPUs", cpus, "/proc/interrupts header");
        let path = format!("{}/queues/rx-{}/rps_cpus", interface.name, queue.index);
        Change::new(ChangeKind::PacketSteering { path }, queue.rps_cpus.clone(), target)
            .persists_by("the udev rule, unit or script that sets the mask")
            .risks("one heavy flow then stays on its queue's CPU")
    };
    steered.map(change).fold(remedy, Remedy::change)
}
