//! Changing to BBR, with everything that has to change with it.

use host::kernel::{Link, Qdisc};
use model::{Change, ChangeKind, Derived, Remedy};

use super::parameters;
use crate::Evidence;
use crate::qdisc::rates::{is_replaceable, leaf_kinds};

const CONTROL: &str = "net.ipv4.tcp_congestion_control";
const AVAILABLE: &str = "net.ipv4.tcp_available_congestion_control";
const DEFAULT_QDISC: &str = "net.core.default_qdisc";
/// The file that loads modules at boot (modules-load.d(5)).
const MODULES_FILE: &str = "/etc/modules-load.d/90-narrows.conf";

/// What makes BBR the congestion control of new connections, now and after a boot.
pub(super) fn remedy(evidence: &Evidence, losses: &[(&str, String)]) -> Remedy {
    let current = |key: &str| evidence.settings.value(key).map(str::to_owned);
    let target = losses.iter().fold(
        Derived::new("bbr", "bbr where over 1 % of segments are sent again and rtt > 30 ms"),
        |target, (name, value)| target.input(name, value, "/proc/net/snmp and sock_diag tcp_info"),
    );
    let control = Change::sysctl(CONTROL, current(CONTROL), target)
        .owned_by(evidence.settings.owner(CONTROL))
        .coupled_with("the module tcp_bbr must be loaded before the parameter is set")
        .restarts("none; running listeners use it for new connections")
        .risks(
            "more segments sent again in shallow queues; takes bandwidth from cubic on a shared bottleneck",
        );
    let remedy = Remedy::new(
        "Change new connections to BBR, paced by fq",
        "the 99th percentile of transfer times falls (measured at 1.5 % loss and 80 ms: median 1.8 s becomes 1.0 s), \
         segments sent again do not double",
    );
    let why = "one module a line; the kernel of Debian has BBR as a module";
    let bbr = Derived::new("tcp_bbr", why).input(
        "available now",
        evidence.settings.value(AVAILABLE).unwrap_or("unknown"),
        &format!("/proc/sys {AVAILABLE}"),
    );
    let mut remedy = remedy.change(module("tcp_bbr", bbr)).change(control);
    // A network namespace other than the first has no such parameter.
    if evidence.settings.value(DEFAULT_QDISC).is_some_and(|kind| kind != "fq") {
        let fq = Derived::new("fq", "fq paces cheaper than TCP's own timers; it sets queues made later only");
        let change = Change::sysctl(DEFAULT_QDISC, current(DEFAULT_QDISC), fq);
        remedy = remedy.change(change.owned_by(evidence.settings.owner(DEFAULT_QDISC)));
    }
    root_queues(evidence).into_iter().fold(remedy, Remedy::change)
}

/// Loads the module of a congestion control, now and at boot.
pub(super) fn module(name: &str, target: Derived) -> Change {
    Change::new(ChangeKind::Module { name: name.to_owned() }, None, target)
        .persists_by(MODULES_FILE)
        .restarts(&format!("none; `modprobe {name}` loads it now"))
        .risks(&format!(
            "a kernel built without it has no such module (`modinfo {name}` tells), and a container cannot load any"
        ))
}

/// The root queues of hardware that do not pace yet. A container's interface has none of its own, and a root with
/// classes or a rate of its own is someone's: BBR paces by TCP's timers there.
fn root_queues(evidence: &Evidence) -> Vec<Change> {
    let Ok(facts) = evidence.latest(|reading| &reading.qdisc) else { return vec![] };
    let link =
        |qdisc: &Qdisc| facts.links.iter().find(|link| link.name == qdisc.interface && link.kind.is_none());
    let paced =
        |interface: &str| facts.qdiscs.iter().any(|qdisc| qdisc.interface == interface && qdisc.kind == "fq");
    let roots = facts.qdiscs.iter().filter(|qdisc| qdisc.parent == "root" && qdisc.interface != "lo");
    roots
        .filter(|qdisc| is_replaceable(facts, qdisc) && !paced(&qdisc.interface))
        .filter_map(|qdisc| Some(replace(qdisc, link(qdisc)?, &leaf_kinds(facts, &qdisc.interface))))
        .collect()
}

fn replace(qdisc: &Qdisc, link: &Link, leaves: &[&str]) -> Change {
    let now = match leaves {
        [] => qdisc.kind.clone(),
        leaves => format!("{} ({})", qdisc.kind, leaves.join(", ")),
    };
    let kind = if link.transmit_queues > 1 { "mq" } else { "fq" };
    let formula =
        "mq, attached anew to have fq below, where the interface has several transmit queues, else fq";
    let target = Derived::new(kind, formula)
        .input("transmit queues", link.transmit_queues, "RTM_GETLINK")
        .input("root now", &now, "RTM_GETQDISC");
    let what = ChangeKind::Qdisc { interface: qdisc.interface.clone() };
    Change::new(what, Some(now), target)
        .persists_by("net.core.default_qdisc at the next boot")
        .coupled_with("net.core.default_qdisc = fq, set before: a new root takes it for its queues")
        .risks("packets in the old queue at that instant are dropped")
}

/// The loss-based rate of one connection in its steady state, in bytes per second: 1.22 × segment / (rtt × √loss).
///
/// Mathis et al. 1997. It holds for cubic too where products of rate and round trip are small: its Reno-friendly region
/// with a factor of 0.7 and α = 0.53 has the same mean window (RFC 9438, section 4.3).
pub(super) fn loss_based_bytes_per_s(rtt_us: u32, loss: f64) -> f64 {
    const SEGMENT_BYTES: f64 = 1448.0;
    let rtt_s = f64::from(rtt_us.max(1)) / 1e6;
    1.22 * SEGMENT_BYTES / (rtt_s * loss.max(1e-9).sqrt())
}

/// The congestion control of new connections.
///
/// # Errors
/// What is missing, when it was not read.
pub(super) fn control(evidence: &Evidence) -> Result<&str, model::Missing> {
    evidence.settings.value(CONTROL).ok_or_else(|| parameters::absent(CONTROL))
}
