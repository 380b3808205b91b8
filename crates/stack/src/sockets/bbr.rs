//! Changing to BBR, with everything that has to change with it.

use host::kernel::{Link, Qdisc};
use model::{Change, ChangeKind, Derived, Remedy};

use super::parameters;
use crate::Evidence;

const CONTROL: &str = "net.ipv4.tcp_congestion_control";
const AVAILABLE: &str = "net.ipv4.tcp_available_congestion_control";
const DEFAULT_QDISC: &str = "net.core.default_qdisc";
/// The file that loads modules at boot (modules-load.d(5)).
pub(super) const MODULES_FILE: &str = "/etc/modules-load.d/90-narrows.conf";

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
    let mut remedy = remedy.change(module(evidence)).change(control);
    if evidence.settings.value(DEFAULT_QDISC) != Some("fq") {
        let fq = Derived::new("fq", "fq paces cheaper than TCP's own timers; it sets queues made later only");
        let change = Change::sysctl(DEFAULT_QDISC, current(DEFAULT_QDISC), fq);
        remedy = remedy.change(change.owned_by(evidence.settings.owner(DEFAULT_QDISC)));
    }
    root_queues(evidence).into_iter().fold(remedy, Remedy::change)
}

fn module(evidence: &Evidence) -> Change {
    let available = evidence.settings.value(AVAILABLE);
    let target = Derived::new("tcp_bbr", "one module a line; the kernel of Debian has BBR as a module")
        .input("available now", available.unwrap_or("unknown"), &format!("/proc/sys {AVAILABLE}"));
    let edit = "add the line tcp_bbr".to_owned();
    Change::new(ChangeKind::File { path: MODULES_FILE.to_owned(), edit, edits: vec![] }, None, target)
        .persists_by(MODULES_FILE)
        .restarts("none; `modprobe tcp_bbr` loads it now")
        .risks("a kernel built without it has no such module: `modinfo tcp_bbr` tells")
}

/// The root queues of hardware that do not pace yet. A container's interface has none of its own.
fn root_queues(evidence: &Evidence) -> Vec<Change> {
    let Ok(facts) = evidence.latest(|reading| &reading.qdisc) else { return vec![] };
    let link =
        |qdisc: &Qdisc| facts.links.iter().find(|link| link.name == qdisc.interface && link.kind.is_none());
    let paced =
        |interface: &str| facts.qdiscs.iter().any(|qdisc| qdisc.interface == interface && qdisc.kind == "fq");
    let roots = facts.qdiscs.iter().filter(|qdisc| qdisc.parent == "root" && qdisc.interface != "lo");
    roots
        .filter(|qdisc| !["noqueue", "netem"].contains(&qdisc.kind.as_str()) && !paced(&qdisc.interface))
        .filter_map(|qdisc| Some(replace(qdisc, link(qdisc)?)))
        .collect()
}

fn replace(qdisc: &Qdisc, link: &Link) -> Change {
    let kind = if link.transmit_queues > 1 { "mq" } else { "fq" };
    // An mq that stays keeps the queues it has: it takes a new one for them to follow the default.
    let value = if qdisc.kind == kind { format!("{kind} anew, with fq below") } else { kind.to_owned() };
    let target =
        Derived::new(value, "mq (with fq below) where the interface has several transmit queues, else fq")
            .input("transmit queues", link.transmit_queues, "RTM_GETLINK")
            .input("root now", &qdisc.kind, "RTM_GETQDISC");
    let what = ChangeKind::Qdisc { interface: qdisc.interface.clone() };
    Change::new(what, Some(qdisc.kind.clone()), target)
        .persists_by("net.core.default_qdisc at the next boot")
        .coupled_with("one root queue per interface: a shaper such as cake goes")
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
