//! A queue in front of an interface drops packets on the way out.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::qdisc::rates::roots;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "qdisc.drops",
    title: "The queue in front of an interface drops packets",
    document: include_str!("drops.md"),
    test,
};

/// Fewer drops per second than this are no symptom.
const LEAST_PER_S: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let roots = roots(evidence)?;
    let worst = roots.iter().max_by(|a, b| a.drops_per_s.total_cmp(&b.drops_per_s));
    let Some(worst) = worst else { return Ok(Presence::new(false, "no interface has a queue")) };
    let interface = &worst.qdisc.interface;
    let summary = format!(
        "{} in front of {interface} drops {} packets/s",
        worst.kinds(),
        number_text(worst.drops_per_s)
    );
    let seen = Observation::new("RTM_GETQDISC", format!("{interface} drops"), worst.drops_per_s).unit("/s");
    Ok(Presence::new(worst.drops_per_s >= LEAST_PER_S, summary).seen(seen))
}
