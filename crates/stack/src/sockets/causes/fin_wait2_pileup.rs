//! Closed connections pile up, waiting for the other side's FIN.

use model::observation::number_text;
use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::sockets::{fin_wait2, parameters};
use crate::{Cause, Evidence};

use super::fin_timeout_for_time_wait::KEY;

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.fin-wait2-pileup",
    title: "Closed connections pile up in FIN-WAIT-2",
    explains: &[],
    refutes: &[],
    document: include_str!("fin_wait2_pileup.md"),
    test,
};

/// From this share of the limit on, it is met at twice today's load.
const NEAR: f64 = 0.5;
/// The least seconds proposed: a client on a slow link answers a FIN within them.
const WANTED_S: i64 = 30;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let waiting = fin_wait2::read(evidence)?;
    if !waiting.is_high() {
        return Ok(Outcome::ruled_out(waiting.line()).seen_all(waiting.observations()));
    }
    let seconds = parameters::number(evidence, KEY)?;
    let outcome = if waiting.share() >= NEAR {
        let times = number_text((10.0 / waiting.share()).floor().max(10.0) / 10.0);
        Outcome::confirmed(Severity::Latent, format!("{}; the limit at {times}× this load", waiting.line()))
    } else {
        Outcome::confirmed(Severity::Hygiene, waiting.line())
    };
    let outcome = outcome.seen_all(waiting.observations()).seen_all(parameters::seen(evidence, KEY));
    Ok(if seconds > WANTED_S { outcome.remedy(remedy(evidence, &waiting, seconds)) } else { outcome })
}

fn remedy(evidence: &Evidence, waiting: &fin_wait2::FinWait2, seconds: i64) -> Remedy {
    let target = Derived::new(WANTED_S, "30 s while FIN-WAIT-2 is above 10 % of tcp_max_orphans").input(
        "FIN-WAIT-2",
        number_text(waiting.sockets),
        "inet_diag",
    );
    let target = match waiting.limit {
        Some(limit) => target.input("tcp_max_orphans", number_text(limit), "/proc/sys"),
        None => target,
    };
    let change = Change::sysctl(KEY, Some(seconds.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("a client that answers the FIN after more than 30 s meets a reset");
    Remedy::new(
        "Wait less long for the other side's FIN",
        format!("sockets in FIN-WAIT-2 fall to {WANTED_S}/{seconds} of today's"),
    )
    .change(change)
}
