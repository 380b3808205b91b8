//! A shaper that is set to more than the link carries.

use host::kernel::Qdisc;
use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::qdisc::rates::{BEYOND_BITS_PER_S, is_hardware, link_bits_per_s};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.shaper-above-the-link",
    title: "A shaper is set to more than the link carries",
    explains: &[],
    refutes: &[],
    document: include_str!("shaper_above_the_link.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let facts = evidence.latest(|reading| &reading.qdisc)?;
    evidence.latest(|reading| &reading.nic)?.hardware()?;
    let shapes = |qdisc: &&Qdisc| {
        ["cake", "tbf"].contains(&qdisc.kind.as_str()) && qdisc.bandwidth_bits_per_s.is_some()
    };
    let shapers: Vec<_> = facts.qdiscs.iter().filter(shapes).collect();
    let shapers = shapers.into_iter().filter(|qdisc| is_hardware(evidence, &qdisc.interface));
    let mut verdicts: Vec<_> = shapers.map(|qdisc| verdict(evidence, qdisc)).collect();
    verdicts.sort_by_key(|verdict| match verdict {
        Ok(outcome) if outcome.verdict == model::Verdict::Confirmed => 0,
        Err(_) => 1,
        Ok(_) => 2,
    });
    verdicts
        .into_iter()
        .next()
        .unwrap_or_else(|| Ok(Outcome::ruled_out("no shaper on an interface with hardware")))
}

#[expect(clippy::cast_precision_loss, reason = "bits per second that are shown")]
fn verdict(evidence: &Evidence, qdisc: &Qdisc) -> Result<Outcome, Missing> {
    let bandwidth = qdisc.bandwidth_bits_per_s.unwrap_or_default();
    let link = link_bits_per_s(evidence, &qdisc.interface);
    let rate = |bits: u64| format!("{} Mbit/s", number_text(bits as f64 / 1e6));
    let line = format!("{} shapes {} to {}", qdisc.kind, qdisc.interface, rate(bandwidth));
    let seen =
        Observation::new("RTM_GETQDISC", format!("{} bandwidth", qdisc.interface), bandwidth).unit("bit/s");
    let outcome = match link {
        Some(link) if bandwidth >= link => Outcome::confirmed(
            Severity::Folklore,
            format!("{line}, a link of {}: it never holds a packet back", rate(link)),
        ),
        _ if bandwidth >= BEYOND_BITS_PER_S => {
            Outcome::confirmed(Severity::Folklore, format!("{line}: it never holds a packet back"))
        }
        Some(link) => Outcome::ruled_out(format!("{line}, below the link's {}", rate(link))),
        None => {
            return Err(Missing::new(
                format!("the speed of {}'s link", qdisc.interface),
                "virtual interfaces have none: compare the shaper with the rate the provider guarantees",
            ));
        }
    };
    Ok(outcome.seen(seen))
}
