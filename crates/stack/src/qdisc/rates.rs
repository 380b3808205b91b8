//! What the queueing discipline at the root of each interface did over the window.

use host::kernel::Qdisc;
use model::counter::per_second;

use super::Facts;
use crate::{Evidence, Span};

/// The root of one interface over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Root<'a> {
    /// The root at the last reading. The counters of `mq` are the sums of its queues (net/sched/sch_mq.c, `mq_dump`).
    pub qdisc: &'a Qdisc,
    /// The kinds of the queues below the root, without repetition; empty for a classless root.
    pub leaves: Vec<&'a str>,
    /// Packets sent per second.
    pub packets_per_s: f64,
    /// Bytes sent per second.
    pub bytes_per_s: f64,
    /// Packets dropped per second.
    pub drops_per_s: f64,
    /// Times per second that the shaper held a packet back, or the limit was met.
    pub overlimits_per_s: f64,
    /// The most packets seen queued at any reading.
    pub most_backlog: u64,
    /// The fewest packets seen queued, over all readings; 0 where one reading lacks the root.
    pub least_backlog: u64,
    /// The fewest bytes seen queued, likewise.
    pub least_backlog_bytes: u64,
    /// Places for packets: the root's limit, or the sum of the limits below it.
    pub limit_packets: Option<u64>,
}

/// The root of every interface; one whose counters went backwards, or that was replaced in between, is left out.
pub fn roots<'a>(evidence: &'a Evidence) -> Result<Vec<Root<'a>>, model::Missing> {
    let span = evidence.span(|reading| &reading.qdisc)?;
    let every: Vec<&Facts> = evidence.readings.iter().filter_map(|reading| reading.qdisc.facts()).collect();
    let roots = span.last.qdiscs.iter().filter(|qdisc| is_root(qdisc));
    Ok(roots.filter_map(|last| root(&span, &every, last)).collect())
}

/// Whether it is the root of its interface.
pub fn is_root(qdisc: &Qdisc) -> bool {
    qdisc.parent == "root"
}

/// Disciplines without classes: what they are is their kind and their options, so that they can be put back.
const CLASSLESS: [&str; 10] =
    ["pfifo", "pfifo_fast", "bfifo", "fq", "fq_codel", "fq_pie", "sfq", "codel", "cake", "mq"];
/// No visitor is reached over a faster path: from this rate on a shaper of a web server's link is never the bottleneck.
pub const BEYOND_BITS_PER_S: u64 = 10_000_000_000;

/// Whether another root may take its place: neither it nor what hangs below has classes that would be lost, and it
/// shapes to no rate that may be meant.
pub fn is_replaceable(facts: &Facts, root: &Qdisc) -> bool {
    let classless = |kind: &str| CLASSLESS.contains(&kind);
    let meant = root.bandwidth_bits_per_s.is_some_and(|bits| bits < BEYOND_BITS_PER_S);
    classless(&root.kind) && !meant && leaf_kinds(facts, &root.interface).into_iter().all(classless)
}

/// Whether packets leave in the order in which they came, whatever flow they belong to.
pub fn is_first_in_first_out(kind: &str) -> bool {
    ["pfifo", "pfifo_fast", "bfifo", "pfifo_head_drop"].contains(&kind)
}

/// Whether it hangs below the root and carries packets out (`ingress` and `clsact` hang at `ffff:`).
pub fn is_leaf(qdisc: &Qdisc) -> bool {
    !is_root(qdisc)
        && !qdisc.parent.starts_with("ffff:")
        && !["ingress", "clsact"].contains(&qdisc.kind.as_str())
}

/// The kinds of what hangs below an interface's root, without repetition.
pub fn leaf_kinds<'a>(facts: &'a Facts, interface: &str) -> Vec<&'a str> {
    let leaves = facts.qdiscs.iter().filter(|qdisc| qdisc.interface == interface && is_leaf(qdisc));
    let mut kinds: Vec<_> = leaves.map(|qdisc| qdisc.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn root<'a>(span: &Span<'a, Facts>, every: &[&Facts], last: &'a Qdisc) -> Option<Root<'a>> {
    let same = |other: &&Qdisc| {
        is_root(other)
            && other.interface == last.interface
            && other.kind == last.kind
            && other.handle == last.handle
    };
    let first = span.first.qdiscs.iter().find(same)?;
    let rate = |field: fn(&Qdisc) -> u64| per_second(field(first), field(last), span.seconds);
    let seen = || every.iter().filter_map(|facts| facts.qdiscs.iter().find(same));
    let least = |field: fn(&Qdisc) -> u64| match seen().count() == every.len() {
        true => seen().map(field).min().unwrap_or(0),
        false => 0,
    };
    let leaves = || {
        let below = span.last.qdiscs.iter();
        below.filter(|qdisc| qdisc.interface == last.interface && is_leaf(qdisc))
    };
    let below = leaves().filter_map(|leaf| leaf.limit_packets.map(u64::from)).reduce(u64::saturating_add);
    Some(Root {
        qdisc: last,
        leaves: leaf_kinds(span.last, &last.interface),
        packets_per_s: rate(|qdisc| qdisc.packets)?,
        bytes_per_s: rate(|qdisc| qdisc.bytes)?,
        drops_per_s: rate(|qdisc| qdisc.drops)?,
        overlimits_per_s: rate(|qdisc| qdisc.overlimits)?,
        most_backlog: seen().map(|qdisc| qdisc.backlog_packets).max().unwrap_or(0),
        least_backlog: least(|qdisc| qdisc.backlog_packets),
        least_backlog_bytes: least(|qdisc| qdisc.backlog_bytes),
        limit_packets: last.limit_packets.map(u64::from).or(below),
    })
}

impl Root<'_> {
    /// Whether it drops on purpose, to make senders slow down, long before it is full.
    pub fn drops_to_signal(&self) -> bool {
        let signalling = |kind: &str| ["fq_codel", "codel", "cake", "pie", "fq_pie", "red"].contains(&kind);
        signalling(&self.qdisc.kind)
            || (!self.leaves.is_empty() && self.leaves.iter().all(|kind| signalling(kind)))
    }

    /// The kind of the root.
    pub fn kind(&self) -> &str {
        &self.qdisc.kind
    }

    /// Whether it lets packets out at a rate of its own, in an order that what hangs below decides.
    pub fn is_shaper(&self) -> bool {
        ["tbf", "htb", "hfsc"].contains(&self.kind())
    }

    /// Whether all flows share one queue and leave it in the order in which they came. What the kernel puts below a
    /// shaper by itself is such a queue, and is not listed.
    pub fn is_first_in_first_out(&self) -> bool {
        let below = self.leaves.iter().all(|kind| is_first_in_first_out(kind));
        let classes = self.is_shaper() || (self.kind() == "mq" && !self.leaves.is_empty());
        is_first_in_first_out(self.kind()) || (classes && below)
    }

    /// Whether flows have queues of their own, so that a small answer does not wait for a large one.
    pub fn queues_per_flow(&self) -> bool {
        let apart = |kind: &str| ["fq_codel", "fq", "cake", "fq_pie", "sfq", "hhf"].contains(&kind);
        apart(self.kind()) || (!self.leaves.is_empty() && self.leaves.iter().all(|kind| apart(kind)))
    }

    /// How long the fewest bytes seen take to leave at the rate of the window; `None` where nothing leaves.
    #[expect(clippy::cast_precision_loss, reason = "bytes in a queue")]
    pub fn least_wait_s(&self) -> Option<f64> {
        (self.bytes_per_s > 0.0).then(|| self.least_backlog_bytes as f64 / self.bytes_per_s)
    }

    /// The share of packets dropped, 0 to 1; `None` without packets.
    pub fn drop_share(&self) -> Option<f64> {
        let offered = self.packets_per_s + self.drops_per_s;
        (offered > 0.0).then(|| self.drops_per_s / offered)
    }

    /// The root's kind with what hangs below it, as `mq (fq_codel)`.
    pub fn kinds(&self) -> String {
        if self.leaves.is_empty() {
            return self.qdisc.kind.clone();
        }
        format!("{} ({})", self.qdisc.kind, self.leaves.join(", "))
    }
}

/// Whether an interface has hardware behind it, by the interface layer.
pub fn is_hardware(evidence: &Evidence, interface: &str) -> bool {
    match evidence.latest(|reading| &reading.nic) {
        Ok(nic) => nic.interfaces.iter().any(|found| found.name == interface && found.is_hardware()),
        Err(_) => false,
    }
}

/// The link's speed in bits per second, where the interface layer has it.
pub fn link_bits_per_s(evidence: &Evidence, interface: &str) -> Option<u64> {
    let nic = evidence.latest(|reading| &reading.nic).ok()?;
    let found = nic.interfaces.iter().find(|found| found.name == interface)?;
    found.speed_mbits.map(|mbits| mbits.saturating_mul(1_000_000))
}
