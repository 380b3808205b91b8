//! Where network interrupts go, and the changes that would spread them.

use model::{Change, ChangeKind, Derived, Remedy};

use super::irqbalance::ban;
use crate::irq::rates::{CpuRates, interface_names, targets, vectors};
use crate::irq::{Interrupt, Vector};
use crate::nic::Interface;
use crate::nic::queues::more_queues;
use crate::remedies::together;
use crate::{Evidence, cpu};

/// Where the network interrupts go, seen from the CPU that does most of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// No network interrupt was seen on this machine.
    Unseen,
    /// There are some, and where they go may not be read.
    Unplaced,
    /// None goes to this CPU: its work comes from loopback or packet steering.
    Elsewhere,
    /// At least two receive queues, and every one goes to this CPU alone.
    OneCpu {
        /// How many interrupts.
        vectors: usize,
    },
    /// This CPU gets some of them.
    Shared,
}

/// Looks where the network interrupts go.
pub(super) fn placement(evidence: &Evidence, hot: u32) -> Placement {
    let Ok(irq) = evidence.latest(|reading| &reading.irq) else { return Placement::Unseen };
    let vectors = vectors(irq, &interface_names(evidence));
    if vectors.is_empty() {
        return Placement::Unseen;
    }
    let known = vectors.iter().filter_map(|(row, vector)| Some((vector, targets(row)?)));
    let known: Vec<_> = known.filter(|(vector, _)| vector.receives).collect();
    if known.is_empty() {
        return Placement::Unplaced;
    }
    if known.iter().any(|(_, cpus)| cpus.contains(&hot)) {
        let only_hot = known.iter().all(|(_, cpus)| cpus.as_slice() == [hot]);
        return match known.len() {
            receiving if receiving >= 2 && only_hot => Placement::OneCpu { vectors: vectors.len() },
            _ => Placement::Shared,
        };
    }
    Placement::Elsewhere
}

/// What would spread the work, in the order in which to do it: more queues, interrupts apart, packet steering.
pub(super) fn remedies(evidence: &Evidence, hot: &CpuRates) -> Vec<Remedy> {
    let Ok(irq) = evidence.latest(|reading| &reading.irq) else { return vec![] };
    let all = vectors(irq, &interface_names(evidence));
    let cpus = &usable(evidence, &irq.columns);
    let interfaces = hardware(evidence);
    let more = interfaces.iter().filter_map(|interface| more_queues(interface, irq.columns.len()));
    let more = together(more);
    let steered = interfaces.iter().filter_map(|interface| steering(evidence, interface, &all, cpus, hot));
    let steered = if more.is_none() { together(steered) } else { None };
    let mut remedies: Vec<_> =
        more.into_iter().chain(interrupts_apart(evidence, &all, cpus)).chain(steered).collect();
    if remedies.is_empty() && all.iter().all(|(row, _)| targets(row).is_some()) {
        remedies.push(one_flow(hot));
    }
    remedies
}

/// The CPUs that are online, without those that someone keeps free of such work.
fn usable(evidence: &Evidence, online: &[u32]) -> Vec<u32> {
    let isolated = evidence.latest(|reading| &reading.cpu).map(|cpu| cpu.isolated.as_slice());
    let isolated = isolated.unwrap_or_default();
    online.iter().copied().filter(|cpu| !isolated.contains(cpu)).collect()
}

fn hardware(evidence: &Evidence) -> Vec<&Interface> {
    let nic = evidence.latest(|reading| &reading.nic);
    nic.map(|nic| nic.interfaces.iter().filter(|one| one.is_hardware()).collect()).unwrap_or_default()
}

/// Queue K to CPU K mod n, by the queue's number in the interrupt's name, never by the interrupt's number: vectors
/// interleave (`config`, `input.0`, `output.0`, `input.1` …).
///
/// An interrupt that the kernel places itself (a managed one) looks like any other and is known by the refusal of a write (`irq_can_set_affinity_usr`, kernel/irq/manage.c).
fn interrupts_apart(evidence: &Evidence, all: &[(&Interrupt, Vector)], cpus: &[u32]) -> Option<Remedy> {
    let many = all.iter().any(|(_, vector)| vector.queue > 0);
    let misplaced = all.iter().filter_map(|(row, vector)| {
        let wanted = *cpus.get(usize::try_from(vector.queue).ok()?.checked_rem(cpus.len())?)?;
        let now = targets(row)?;
        (now != [wanted]).then_some((*row, vector, wanted))
    });
    let misplaced: Vec<_> = misplaced.collect();
    (many && !misplaced.is_empty()).then(|| {
        let remedy = Remedy::new(
            format!("Spread {} network interrupts over {} CPUs", misplaced.len(), cpus.len()),
            "NET_RX skew falls to 1.5 or below, time_squeeze/s falls",
        )
        .lowers("irq.net_rx_skew");
        let irqs: Vec<_> = misplaced.iter().map(|(row, ..)| row.label.clone()).collect();
        let ban = ban(evidence, &irqs);
        let banned = ban.is_some();
        let changes =
            misplaced.iter().filter_map(|(row, vector, wanted)| affinity(row, vector, *wanted, cpus, banned));
        ban.into_iter().chain(changes).fold(remedy, Remedy::change)
    })
}

fn affinity(row: &Interrupt, vector: &Vector, wanted: u32, cpus: &[u32], banned: bool) -> Option<Change> {
    let target = Derived::new(wanted, "cpus[queue mod n]")
        .input("queue", vector.queue, &format!("/proc/interrupts {}", row.name))
        .input("n", cpus.len(), "/proc/interrupts header, without /sys/devices/system/cpu/isolated");
    let what = ChangeKind::IrqAffinity { irq: row.label.parse().ok()?, name: row.name.clone() };
    let change = Change::new(what, row.affinity.clone(), target)
        .persists_by("a systemd unit or udev rule that matches the interrupt's name")
        .risks("a driver reload or a change of queues sets it back");
    Some(match banned {
        true => change
            .coupled_with("the ban of irqbalance, set and taken up first")
            .owned_by(Some("irqbalance".to_owned())),
        false => change,
    })
}

/// Flows that receive packet steering keeps apart (Documentation/networking/scaling.rst suggests this number).
const FLOWS: u32 = 32_768;

/// Receive packet steering, only where there are fewer queues than CPUs.
fn steering(
    evidence: &Evidence,
    interface: &Interface,
    all: &[(&Interrupt, Vector)],
    cpus: &[u32],
    hot: &CpuRates,
) -> Option<Remedy> {
    let queues = u32::try_from(interface.receive_queues.len()).ok().filter(|queues| *queues > 0)?;
    let helpers: Vec<_> =
        near(evidence, interface.node, cpus).into_iter().filter(|cpu| *cpu != hot.cpu).collect();
    if usize::try_from(queues).ok()? >= cpus.len() || helpers.is_empty() {
        return None;
    }
    let serves = all.iter().any(|(row, vector)| {
        vector.belongs_to(&interface.name, interface.device.as_deref())
            && targets(row).is_none_or(|cpus| cpus.contains(&hot.cpu))
    });
    let name = &interface.name;
    let mut remedy = Remedy::new(
        format!("Let {} CPUs help with what {name} receives", helpers.len()),
        format!("soft interrupts of CPU {} fall", hot.cpu),
    )
    .change(socket_flows(evidence));
    for queue in &interface.receive_queues {
        let file = |file: &str| format!("{name}/queues/rx-{}/{file}", queue.index);
        let mask = Derived::new(cpu_mask(&helpers), "CPUs of the interface's node − CPU of the interrupt")
            .input(
                "node",
                interface.node.map_or("none".to_owned(), |node| node.to_string()),
                "device/numa_node",
            )
            .input("interrupt", hot.cpu, "/proc/softirqs NET_RX");
        let flows = Derived::new(FLOWS / queues, "flows ÷ queues")
            .input("flows", FLOWS, "net.core.rps_sock_flow_entries to be set")
            .input("queues", queues, &format!("/sys/class/net/{name}/queues"));
        let flows_now = queue.rps_flow_count.map(|flows| flows.to_string());
        remedy = remedy.change(steer(file("rps_flow_cnt"), flows_now, flows));
        remedy = remedy.change(steer(file("rps_cpus"), queue.rps_cpus.clone(), mask));
    }
    serves.then_some(remedy)
}

fn steer(path: String, current: Option<String>, target: Derived) -> Change {
    Change::new(ChangeKind::PacketSteering { path }, current, target)
        .persists_by("a udev rule on the interface")
        .coupled_with(
            "net.core.netdev_max_backlog: steered packets pass the backlog queue, which may then drop",
        )
        .risks("each packet costs an interrupt between CPUs; wrong where queues equal CPUs")
}

fn socket_flows(evidence: &Evidence) -> Change {
    let key = "net.core.rps_sock_flow_entries";
    let target = Derived::new(FLOWS, "flows expected at once, a power of two");
    Change::sysctl(key, evidence.settings.value(key).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(key))
}

fn near(evidence: &Evidence, node: Option<u32>, cpus: &[u32]) -> Vec<u32> {
    let places =
        evidence.latest(|reading| &reading.cpu).map(|cpu| cpu.topology.as_slice()).unwrap_or_default();
    let on_node = |place: &&cpu::Place| node.is_some() && place.node == node && cpus.contains(&place.cpu);
    let near: Vec<_> = places.iter().filter(on_node).map(|place| place.cpu).collect();
    if near.is_empty() { cpus.to_vec() } else { near }
}

/// The kernel knows no CPU above this number (`NR_CPUS` is at most 8192, arch/x86/Kconfig).
const MOST_CPUS: u32 = 8191;

/// The kernel's mask of CPUs: hexadecimal groups of 32 bits, the highest first.
fn cpu_mask(cpus: &[u32]) -> String {
    let groups = cpus.iter().max().map_or(1, |most| most.min(&MOST_CPUS) / 32 + 1);
    let bits = |group: u32| {
        cpus.iter().filter(|cpu| **cpu / 32 == group).fold(0_u32, |bits, cpu| bits | 1 << (cpu % 32))
    };
    let groups: Vec<_> = (0..groups).rev().map(bits).collect();
    let text: Vec<_> = groups
        .iter()
        .enumerate()
        .map(|(at, bits)| if at == 0 { format!("{bits:x}") } else { format!("{bits:08x}") })
        .collect();
    text.join(",")
}

fn one_flow(hot: &CpuRates) -> Remedy {
    let target = Derived::new("more and smaller flows", "interrupts are apart, so flows fall on one queue")
        .input("CPU", hot.cpu, "/proc/softirqs NET_RX");
    let place = "what sends to this host: a tunnel or a proxy with few connections".to_owned();
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("packets of one flow stay on one queue, so that they stay in order");
    Remedy::new("Find the flow that all packets belong to", "NET_RX skew falls").change(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_beyond_32_cpus_are_grouped() {
        assert_eq!(cpu_mask(&[1, 2, 3]), "e");
        assert_eq!(cpu_mask(&[0, 33]), "2,00000001");
        assert_eq!(host::text::cpu_mask(&cpu_mask(&[5, 64, 95])), [5, 64, 95]);
    }
}
