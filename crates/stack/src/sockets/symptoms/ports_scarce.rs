//! Local ports towards a destination run out.

use model::Missing;

use crate::sockets::ports::taken;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "sockets.ports-scarce",
    title: "Local ports towards a destination run out",
    document: include_str!("ports_scarce.md"),
    test,
};

/// From this share on, a burst of twice today's connections has no port left.
pub(in crate::sockets) const SCARCE: f64 = 0.5;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let all = taken(evidence)?;
    let Some(fullest) = all.first() else {
        return Ok(Presence::new(false, "this host connects to nothing"));
    };
    Ok(Presence::new(fullest.share() >= SCARCE, fullest.line()).seen(fullest.observation()))
}
