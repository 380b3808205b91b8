//! The queue at the root of each interface is a station whose places are packets.

use model::Station;

use super::rates::{Root, roots};
use crate::Evidence;

/// Every root that has a limit, or that lost packets.
#[expect(clippy::cast_precision_loss, reason = "packets in a queue")]
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(roots) = roots(evidence) else { return vec![] };
    let used = roots.into_iter().filter(|root| root.packets_per_s > 0.0 && root.qdisc.kind != "noqueue");
    let station = |root: Root| {
        let name = &root.qdisc.interface;
        Station {
            servers: root.limit_packets.map(|limit| limit as f64),
            arrivals_per_s: Some(root.packets_per_s + root.drops_per_s),
            busy: root.limit_packets.map(|_| root.most_backlog as f64),
            waiting: Some(root.most_backlog as f64),
            lost_per_s: lost_per_s(&root),
            ..Station::new("qdisc", format!("qdisc.root:{name}"), format!("queue in front of {name}"))
        }
    };
    used.map(station).collect()
}

/// A discipline that drops to signal loses nothing that its senders did not have to slow down for; below 1 % of packets
/// its drops are not counted as a limit that is reached.
fn lost_per_s(root: &Root) -> Option<f64> {
    let signal = root.drops_to_signal() && root.drops_per_s > 0.0;
    (!signal || root.drop_share().is_some_and(|share| share >= 0.01)).then_some(root.drops_per_s)
}
