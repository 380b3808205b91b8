//! `tcp_fin_timeout` changed in the belief that it shortens TIME_WAIT.

use model::observation::number_text;
use model::{Missing, Outcome, Severity};

use crate::sockets::{fin_wait2, parameters};
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.fin-timeout-for-time-wait",
    title: "tcp_fin_timeout is changed and does nothing here",
    explains: &[],
    refutes: &[Refutation {
        symptom: "sockets.ports-scarce",
        because: "tcp_fin_timeout never touches TIME_WAIT, whose 60 s are compiled into the kernel",
    }],
    document: include_str!("fin_timeout_for_time_wait.md"),
    test,
};

pub(super) const KEY: &str = "net.ipv4.tcp_fin_timeout";
const DEFAULT_S: i64 = 60;
/// Below this, clients on slow mobile links answer the FIN too late and meet a reset.
const SHORT_S: i64 = 15;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let seconds = parameters::number(evidence, KEY)?;
    if seconds == DEFAULT_S {
        return Ok(Outcome::ruled_out("tcp_fin_timeout is 60, the kernel's default")
            .seen_all(parameters::seen(evidence, KEY)));
    }
    let waiting = fin_wait2::read(evidence)?;
    let outcome = if waiting.is_high() {
        Outcome::ruled_out(format!("tcp_fin_timeout {seconds} acts on {}", waiting.line()))
    } else {
        let short = if seconds < SHORT_S { "; slow clients may get a reset" } else { "" };
        let line = format!(
            "{seconds} s acts on FIN-WAIT-2 only, {} sockets now{short}",
            number_text(waiting.sockets)
        );
        let formula = "the kernel's default: FIN-WAIT-2 is not above 10 % of tcp_max_orphans";
        let moves = "nothing that is measured: that is why it can go";
        Outcome::confirmed(Severity::Folklore, line)
            .remedy(parameters::restore(evidence, KEY, 60, formula, moves))
    };
    Ok(outcome.seen_all(parameters::seen(evidence, KEY)).seen_all(waiting.observations()))
}
