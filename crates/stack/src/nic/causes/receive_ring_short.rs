//! The receive ring overflows.

use host::kernel::Ring;
use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nic::Interface;
use crate::nic::rates::{Overflow, Rates, rates, virtio_guest_drops};
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "nic.receive-ring-short",
    title: "A receive ring overflows",
    explains: &["nic.receive-drops", "sockets.retransmissions-high"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "a full ring loses packets; no CPU waits for it, and I/O wait counts only tasks that sleep for I/O",
    }],
    document: include_str!("receive_ring_short.md"),
    test,
};

/// Fewer overflows per second than this are a single burst, which any ring may meet.
const LEAST_PER_S: f64 = 1.0;
/// What a driver sets aside for one packet: half a page.
const SLOT_BYTES: u64 = 2048;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.nic)?;
    span.last.hardware()?;
    let rates: Vec<_> = rates(&span).into_iter().filter(|rate| rate.interface.is_hardware()).collect();
    let fastest = rates.iter().filter_map(|rate| Some((rate, rate.overflow()?)));
    let fastest = fastest.max_by(|a, b| a.1.per_s.total_cmp(&b.1.per_s));
    if rates.is_empty() {
        return Ok(Outcome::ruled_out("no interface with hardware in this network namespace"));
    }
    if let Some((rate, overflow)) = fastest.filter(|(_, overflow)| overflow.per_s >= LEAST_PER_S) {
        return overflowing(rate.interface, overflow);
    }
    if let Some(rate) = rates.iter().find(|rate| rate.interface.is_virtio() && rate.overflow().is_none()) {
        let guest_drops = virtio_guest_drops(&span, &rate.interface.name);
        return virtio(rate, guest_drops, span.seconds);
    }
    match fastest {
        Some((rate, overflow)) => Ok(Outcome::ruled_out(format!(
            "{} {} grows {}/s",
            rate.interface.name,
            overflow.name,
            number_text(overflow.per_s)
        ))
        .seen(seen(rate.interface, overflow))),
        None => Err(unread()),
    }
}

fn unread() -> Missing {
    Missing::new(
        "a counter of ring overflows",
        "compare `ethtool -S INTERFACE` twice: names with missed, fifo, no_buf, no_dma",
    )
}

fn seen(interface: &Interface, overflow: &Overflow) -> Observation {
    Observation::new(overflow.source, format!("{} {}", interface.name, overflow.name), overflow.per_s)
        .unit("/s")
}

fn overflowing(interface: &Interface, overflow: &Overflow) -> Result<Outcome, Missing> {
    let line = format!("{} {} grows {}/s", interface.name, overflow.name, number_text(overflow.per_s));
    let size = interface.ring.as_ref().and_then(|ring: &Ring| Some((ring.receive?, ring.receive_max?)));
    let outcome = match size {
        None => Outcome::consistent(Severity::Breaking, line).lacks(Missing::new(
            "the size of the receive ring (ETHTOOL_MSG_RINGS_GET)",
            "run narrows as root, or read `ethtool -g INTERFACE`",
        )),
        Some((now, most)) if now < most => {
            Outcome::confirmed(Severity::Breaking, format!("{line}; ring {now} of {most}"))
                .remedy(lengthen(interface, overflow, now, most))
        }
        Some((now, _)) if interface.is_virtio() => {
            Outcome::confirmed(Severity::Breaking, format!("{line}; the hypervisor gives {now}"))
                .remedy(ask_hypervisor(interface, now))
        }
        Some((now, _)) => {
            Outcome::ruled_out(format!("{line}, but the ring has its full {now}: the CPU is too slow"))
        }
    };
    Ok(outcome.seen(seen(interface, overflow)))
}

fn virtio(rate: &Rates, guest_drops: Option<f64>, seconds: f64) -> Result<Outcome, Missing> {
    let name = &rate.interface.name;
    let beyond_sight = Missing::new(
        format!("drops of {name}'s receive ring, which happen on the hypervisor"),
        "ask for the growth of /sys/class/net/TAP/statistics/tx_dropped there; virtio_net has no such counter, but \
         Linux since 6.10 passes on the device's own (netdev qstats-get, rx-hw-drop-overruns) where it is offered",
    );
    if let Some(drops) = guest_drops.filter(|drops| *drops >= LEAST_PER_S) {
        let line = format!(
            "{name} drops {} packets/s in the guest; the ring may overflow as well",
            number_text(drops)
        );
        let seen =
            Observation::new("ETHTOOL_GSTATS", format!("{name} rx drops of all queues"), drops).unit("/s");
        return Ok(Outcome::consistent(Severity::Breaking, line).lacks(beyond_sight).seen(seen));
    }
    let size = rate.interface.ring.as_ref().and_then(|ring| ring.receive);
    let received = rate.receive_packets_per_s.map(|packets| packets * seconds);
    match (size, received) {
        (Some(size), Some(received)) if received < f64::from(size) => Ok(Outcome::ruled_out(format!(
            "{name} received {} packets in the window, fewer than its ring of {size} holds",
            number_text(received.round())
        ))),
        _ => Err(beyond_sight),
    }
}

fn lengthen(interface: &Interface, overflow: &Overflow, now: u32, most: u32) -> Remedy {
    let name = &interface.name;
    let queues = u64::try_from(interface.receive_queues.len()).unwrap_or(1).max(1);
    let kibibytes = u64::from(most - now.min(most)).saturating_mul(SLOT_BYTES).saturating_mul(queues) >> 10;
    let target = Derived::new(most, "the most the device takes, as packets are being lost")
        .input("ring", now, &format!("ETHTOOL_MSG_RINGS_GET {name}"))
        .input("lost", format!("{}/s", number_text(overflow.per_s)), overflow.source)
        .input("memory", format!("{kibibytes} KiB more"), "(most − ring) × 2048 bytes × queues");
    let change = Change::new(
        ChangeKind::Ring { interface: name.clone(), side: "rx".to_owned() },
        Some(now.to_string()),
        target,
    )
    .persists_by("a systemd .link file: [Link] RxBufferSize=")
    .restarts("most drivers reset the interface: packets are lost for up to a second")
    .risks(
        "packets may wait longer, and fill more of the cache; if interrupts crowd one CPU, spread them first",
    );
    Remedy::new(format!("Lengthen the receive ring of {name}"), format!("{} stops growing", overflow.name))
        .change(change)
}

fn ask_hypervisor(interface: &Interface, now: u32) -> Remedy {
    let target = Derived::new(
        "rx_queue_size=1024",
        "the most QEMU takes; the guest cannot go beyond what it is given",
    )
    .input("ring", now, &format!("ETHTOOL_MSG_RINGS_GET {}", interface.name));
    let change = Change::new(
        ChangeKind::Elsewhere { place: "the hypervisor".to_owned() },
        Some(now.to_string()),
        target,
    )
    .restarts("the virtual machine is stopped and started")
    .risks("each queue takes memory for its ring on both sides");
    Remedy::new(
        format!("Ask for a longer receive ring of {}", interface.name),
        "tx_dropped of the tap stops growing",
    )
    .change(change)
}
