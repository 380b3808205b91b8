//! `somaxconn` raised, and nobody asks for it.

use model::{Missing, Observation, Outcome, Severity};

use crate::sockets::parameters;
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.somaxconn-inert",
    title: "somaxconn is raised and no listener uses it",
    explains: &[],
    refutes: &[Refutation {
        symptom: "sockets.connections-refused",
        because: "somaxconn only caps what a daemon passes to listen(); a larger cap makes no queue longer",
    }],
    document: include_str!("somaxconn_inert.md"),
    test,
};

const KEY: &str = "net.core.somaxconn";
/// The kernel's value since Linux 5.4; it was 128 before.
const DEFAULT: u32 = 4096;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let clamp = parameters::number(evidence, KEY)?;
    let seen = parameters::seen(evidence, KEY);
    if clamp <= i64::from(DEFAULT) {
        return Ok(Outcome::ruled_out(format!("somaxconn {clamp} is not raised")).seen_all(seen));
    }
    let facts = evidence.latest(|reading| &reading.sockets)?;
    let listeners = facts.listeners.as_deref().unwrap_or_default();
    let limited = listeners.iter().filter_map(|listener| Some((listener.backlog?, listener)));
    let Some((backlog, longest)) = limited.max_by_key(|(backlog, _)| *backlog) else {
        let what = "the backlog of listening sockets";
        return Err(facts.listeners_unread.as_ref().map_or_else(
            || {
                Missing::new(
                    what,
                    "no listener with a known limit: start the services, and read the host itself",
                )
            },
            |unread| unread.missing(what),
        ));
    };
    let outcome = if backlog > DEFAULT {
        Outcome::ruled_out(format!("{} uses {backlog} of somaxconn {clamp}", longest.local))
    } else {
        let line = format!("somaxconn {clamp}, but no listener asks for more than {backlog}");
        let formula = "the kernel's default since Linux 5.4: no listener asks for more";
        let moves = "nothing that is measured: to lengthen a queue, raise the daemon's own backlog";
        Outcome::confirmed(Severity::Folklore, line).remedy(parameters::restore(
            evidence,
            KEY,
            u64::from(DEFAULT),
            formula,
            moves,
        ))
    };
    let sockets = Observation::new("sock_diag", format!("{} Send-Q (longest)", longest.local), backlog);
    Ok(outcome.seen_all(seen).seen(sockets))
}
