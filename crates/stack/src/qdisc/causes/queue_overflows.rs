//! More is sent than the link or a shaper lets through.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::qdisc::per_flow;
use crate::qdisc::rates::{Root, link_bits_per_s, roots};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.queue-overflows",
    title: "More is sent than leaves the interface",
    explains: &["qdisc.drops", "sockets.retransmissions-high"],
    refutes: &[],
    document: include_str!("queue_overflows.md"),
    test,
};

/// Fewer drops per second than this are no overflow.
const LEAST_PER_S: f64 = 1.0;
/// From this share of the link's speed on, the link is what holds back.
const LINK_FULL: f64 = 0.8;
/// A discipline that drops to signal drops about this share while senders adapt, on any link that is used.
const SIGNAL_SHARE: f64 = 0.01;
/// Below this share it is not, unless bursts come from elsewhere.
const LINK_IDLE: f64 = 0.3;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let roots = roots(evidence)?;
    let worst = roots.iter().max_by(|a, b| a.drops_per_s.total_cmp(&b.drops_per_s));
    let Some(root) = worst else { return Ok(Outcome::ruled_out("no interface has a queue")) };
    let interface = &root.qdisc.interface;
    let used = limit_bits_per_s(evidence, root).map(|limit| root.bytes_per_s * 8.0 / limit);
    if root.drops_per_s < LEAST_PER_S {
        let line = used.filter(|used| *used > 0.0).map_or_else(String::new, |used| {
            format!("; {} % of its rate in use", number_text((used * 1000.0).round() / 10.0))
        });
        let drops = number_text(root.drops_per_s);
        return Ok(Outcome::ruled_out(format!("{interface} drops {drops} packets/s{line}")));
    }
    Ok(dropping(evidence, root, used).seen_all(observations(root, used)))
}

fn dropping(evidence: &Evidence, root: &Root, used: Option<f64>) -> Outcome {
    let interface = &root.qdisc.interface;
    let drops = number_text(root.drops_per_s);
    let line =
        format!("{} of {interface} drops {drops} packets/s, {} queued", root.kinds(), root.most_backlog);
    let full = used.is_some_and(|used| used >= LINK_FULL);
    let line = match used {
        Some(used) => format!("{line}, {} % of its rate in use", number_text((used * 1000.0).round() / 10.0)),
        None => line,
    };
    if root.drops_to_signal() && !full && root.drop_share().is_some_and(|share| share < SIGNAL_SHARE) {
        let outcome =
            Outcome::consistent(Severity::Hygiene, format!("{line}: it drops to slow senders down"));
        return outcome.lacks(Missing::new(
            format!("the rate that {interface} is allowed"),
            "compare what is sent with what the provider guarantees",
        ));
    }
    if root.most_backlog == 0 && !full {
        let outcome = Outcome::consistent(Severity::Latent, line);
        return outcome.lacks(Missing::new(
            "a queue seen while it holds packets",
            "watch for longer: the drops came in bursts",
        ));
    }
    if used.is_some_and(|used| used < LINK_IDLE) {
        let outcome = Outcome::consistent(Severity::Latent, line);
        return outcome.lacks(Missing::new(
            "what fills the queue",
            "the link has room on average: look for bursts, or for pauses of the peer",
        ));
    }
    Outcome::confirmed(Severity::Limiting, line).remedy(remedy(evidence, root, full))
}

/// The slower of shaper and link, where either is known.
#[expect(clippy::cast_precision_loss, reason = "bits per second of a link")]
fn limit_bits_per_s(evidence: &Evidence, root: &Root) -> Option<f64> {
    let link = link_bits_per_s(evidence, &root.qdisc.interface);
    let shaper = root.qdisc.bandwidth_bits_per_s;
    link.into_iter().chain(shaper).filter(|bits| *bits > 0).min().map(|bits| bits as f64)
}

fn remedy(evidence: &Evidence, root: &Root, full: bool) -> Remedy {
    let interface = &root.qdisc.interface;
    if root.is_first_in_first_out() {
        let drops = format!("{}/s", number_text(root.drops_per_s));
        return per_flow::remedy(evidence, root, "drops", &drops);
    }
    let place =
        if full { "the link, or what is sent over it" } else { "what is sent, or the rate it is shaped to" };
    let target = Derived::new("send less, or a faster link", "rate in use ≥ 80 % and drops ≥ 1/s")
        .input("drops", format!("{}/s", number_text(root.drops_per_s)), "RTM_GETQDISC")
        .input("sent", format!("{} bytes/s", number_text(root.bytes_per_s)), "RTM_GETQDISC");
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("a longer queue would only make every packet late");
    Remedy::new(format!("Send less over {interface}"), format!("drops of {interface} fall below 1/s"))
        .change(change)
}

fn observations(root: &Root, used: Option<f64>) -> Vec<Observation> {
    let name = &root.qdisc.interface;
    let seen = |field: &str, value: f64, unit| {
        Observation::new("RTM_GETQDISC", format!("{name} {field}"), value).unit(unit)
    };
    let mut seen_all = vec![
        seen("drops", root.drops_per_s, "/s"),
        seen("overlimits", root.overlimits_per_s, "/s"),
        Observation::new("RTM_GETQDISC", format!("{name} backlog"), root.most_backlog).unit("packets"),
        seen("bytes", root.bytes_per_s, "/s"),
    ];
    seen_all.extend(used.map(|used| seen("rate in use", used * 100.0, "%")));
    seen_all
}
