//! A queue for each flow in place of one for all.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Remedy};

use super::rates::{Root, is_first_in_first_out};
use crate::Evidence;

/// The kind of queue that interfaces get by themselves.
const DEFAULT: &str = "net.core.default_qdisc";
const WHY: &str = "a queue per flow, so that small answers overtake large ones";
const LOST: &str = "packets queued at that moment are lost; bulk transfers still get what the link gives";

/// Gives the flows at this root queues of their own: as CAKE at the rate of a token bucket without classes, by a person
/// below other shapers, and as fq_codel in place of a plain queue. `name` and `figure` are what shows the need.
///
/// The queues of a new `mq` are of the default kind, which is changed first where it has but one queue.
pub(super) fn remedy(evidence: &Evidence, root: &Root, name: &str, figure: &str) -> Remedy {
    let target = |value: String, formula: &str| {
        let derived = Derived::new(value, formula).input("kind", root.kinds(), "RTM_GETQDISC");
        derived.input(name, figure, "RTM_GETQDISC")
    };
    let interface = &root.qdisc.interface;
    let remedy = Remedy::new(format!("Queue each flow apart on {interface}"), "p99 of small responses falls");
    if root.is_shaper() {
        return remedy.change(below_a_shaper(root, target));
    }
    let default = evidence.settings.value(DEFAULT);
    // A network namespace other than the first has no such parameter.
    let remedy = match default.is_some_and(is_first_in_first_out) {
        true => {
            let change = Change::sysctl(DEFAULT, default.map(str::to_owned), target("fq_codel".into(), WHY));
            let change = change.owned_by(evidence.settings.owner(DEFAULT));
            remedy.change(change.risks("none at once: it acts on queues that are made later"))
        }
        false => remedy,
    };
    let (value, formula) = match root.leaves.is_empty() {
        true => ("fq_codel", WHY),
        false => ("mq", "attached anew, so that each transmit queue gets the default, a queue per flow"),
    };
    let what = ChangeKind::Qdisc { interface: interface.clone() };
    remedy.change(
        Change::new(what, Some(root.kinds()), target(value.to_owned(), formula))
            .persists_by(
                "net.core.default_qdisc in /etc/sysctl.d, which acts when the interface is brought up",
            )
            .risks(LOST),
    )
}

/// A token bucket has one queue for all; CAKE shapes to the same rate, counts the same bytes unless told of an overhead,
/// and holds a queue for each flow.
fn below_a_shaper(root: &Root, target: impl Fn(String, &str) -> Derived) -> Change {
    let Root { qdisc, leaves, .. } = root;
    let interface = &qdisc.interface;
    match qdisc.bandwidth_bits_per_s.filter(|_| qdisc.kind == "tbf" && leaves.is_empty()) {
        Some(rate) => {
            let formula =
                "CAKE at the rate of the token bucket: what leaves stays, each flow has its own queue";
            #[expect(clippy::cast_precision_loss, reason = "a rate that is shown")]
            let shown = format!("{} Mbit/s", number_text(rate as f64 / 1e6));
            let target = target(format!("cake bandwidth {rate}bit"), formula).input(
                "rate",
                shown,
                "RTM_GETQDISC TCA_TBF_PARMS",
            );
            Change::new(ChangeKind::Qdisc { interface: interface.clone() }, Some(root.kinds()), target)
                .persists_by("the boot script of narrows, unless what attaches the token bucket now (a unit, ifupdown) runs after it")
                .risks(LOST)
        }
        None => {
            let place = format!("the classes of {} on {interface}", qdisc.kind);
            let formula = "tc qdisc replace dev INTERFACE parent CLASS fq_codel, for each class with a queue";
            Change::new(
                ChangeKind::Elsewhere { place },
                Some(root.kinds()),
                target("fq_codel".into(), formula),
            )
            .risks(LOST)
        }
    }
}
