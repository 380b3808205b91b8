//! `txqueuelen` was changed where nothing looks at it.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::nic::Interface;
use crate::qdisc::rates::{is_root, leaf_kinds};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.transmit-queue-length-inert",
    title: "txqueuelen is changed and nothing uses it",
    explains: &[],
    refutes: &[],
    document: include_str!("transmit_queue_length_inert.md"),
    test,
};

/// The kernel's value for every Ethernet device (`DEFAULT_TX_QUEUE_LEN`, include/net/sch_generic.h).
const DEFAULT: u64 = 1000;
/// Disciplines that take their limit from it.
const USERS: [&str; 6] = ["pfifo", "pfifo_fast", "bfifo", "htb", "gred", "plug"];
/// A full packet on the wire, in bits.
const PACKET_BITS: f64 = 1500.0 * 8.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nic = evidence.latest(|reading| &reading.nic)?;
    let hardware = nic.hardware()?;
    if hardware.is_empty() {
        return Ok(Outcome::ruled_out("no interface with hardware in this network namespace"));
    }
    let lengths =
        hardware.into_iter().filter_map(|interface| Some((interface, interface.transmit_queue_length?)));
    let mut lengths: Vec<_> = lengths.collect();
    lengths.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    if lengths.is_empty() {
        return Err(Missing::new("/sys/class/net/*/tx_queue_len", "read it on the host"));
    }
    let changed = lengths.into_iter().find(|(_, length)| *length != DEFAULT && *length > 0);
    let Some((interface, length)) = changed else {
        return Ok(Outcome::ruled_out(format!("txqueuelen is {DEFAULT} on every interface with hardware")));
    };
    judge(evidence, interface, length)
}

fn judge(evidence: &Evidence, interface: &Interface, length: u64) -> Result<Outcome, Missing> {
    let facts = evidence.latest(|reading| &reading.qdisc)?;
    let name = &interface.name;
    let root = facts.qdiscs.iter().find(|qdisc| is_root(qdisc) && qdisc.interface == *name);
    let Some(root) = root else {
        return Err(Missing::new(format!("the queueing discipline of {name}"), "compare `tc qdisc show`"));
    };
    let mut kinds = leaf_kinds(facts, name);
    kinds.push(&root.kind);
    let user = kinds.iter().find(|kind| USERS.contains(kind));
    let outcome = match user {
        None => Outcome::confirmed(
            Severity::Folklore,
            format!(
                "{name} has txqueuelen {length}; {} has its own limit and ignores it",
                kinds.first().unwrap_or(&"")
            ),
        ),
        Some(user) if length > DEFAULT => Outcome::consistent(
            Severity::Hygiene,
            format!(
                "{name} has txqueuelen {length}, and {user} may queue as much{}",
                wait(interface, length)
            ),
        )
        .lacks(Missing::new(
            "a full queue",
            "it is late packets only while more is sent than the link carries",
        )),
        Some(user) => Outcome::ruled_out(format!("{name} has txqueuelen {length}, which {user} uses")),
    };
    let source = format!("/sys/class/net/{name}");
    Ok(outcome.seen(Observation::new(source, "tx_queue_len", length).unit("packets")))
}

/// How long a packet waits behind a full queue, at the link's speed.
#[expect(clippy::cast_precision_loss, reason = "packets and bits per second")]
fn wait(interface: &Interface, length: u64) -> String {
    let wait_ms = |mbits: u64| length as f64 * PACKET_BITS / (mbits as f64 * 1000.0);
    let speed = interface.speed_mbits.filter(|mbits| *mbits > 0);
    speed.map_or_else(String::new, |mbits| format!(": {} ms", number_text(wait_ms(mbits))))
}
