//! Closed connections give up too soon.

use model::observation::number_text;
use model::{Missing, Outcome, Severity};

use crate::sockets::{counters, parameters};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.orphan-retries-low",
    title: "The end of responses is given up within seconds",
    explains: &[],
    refutes: &[],
    document: include_str!("orphan_retries_low.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_orphan_retries";
const TIMEOUTS: &str = "TcpExt.TCPAbortOnTimeout";
/// The fewest retries that outlast a short outage: (2·2⁴ − 1) × 0.2 s = 6.2 s.
const ENOUGH: i64 = 4;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let retries = parameters::number(evidence, KEY)?;
    let seen = parameters::seen(evidence, KEY);
    if retries <= 0 {
        return Ok(Outcome::ruled_out("tcp_orphan_retries is 0, which acts as 8: about 102 s").seen_all(seen));
    }
    let patience = format!("{} s", number_text(patience_s(retries)));
    if retries >= ENOUGH {
        return Ok(
            Outcome::ruled_out(format!("tcp_orphan_retries {retries} waits {patience}")).seen_all(seen)
        );
    }
    let span = evidence.span(|reading| &reading.sockets);
    let aborted = span.and_then(|span| counters::per_second(&span, TIMEOUTS));
    let tries = if retries == 1 { "1 retry".to_owned() } else { format!("{retries} retries") };
    let line = format!("{tries}: data of a closed socket is dropped after {patience} of silence");
    let outcome = match &aborted {
        Ok(per_s) if *per_s > 0.0 => {
            Outcome::confirmed(Severity::Breaking, format!("{line}; {}/s aborted", number_text(*per_s)))
        }
        Ok(_) => Outcome::confirmed(Severity::Latent, line),
        Err(missing) => Outcome::confirmed(Severity::Latent, line).lacks(missing.clone()),
    };
    let formula = "the kernel's default, which acts as 8 retries: (2·2⁸ − 1) × 0.2 s = 102 s";
    let moves =
        "TcpExt.TCPAbortOnTimeout grows more slowly; responses arrive whole after an outage of seconds";
    let remedy = parameters::restore(evidence, KEY, 0, formula, moves);
    let rate = aborted.ok().map(|per_s| counters::seen_per_second(TIMEOUTS, per_s));
    Ok(outcome.seen_all(seen).seen_all(rate).remedy(remedy))
}

/// Seconds until the kernel gives up, at the least retransmission timeout of 0.2 s (`tcp_model_timeout`).
fn patience_s(retries: i64) -> f64 {
    let doublings = i32::try_from(retries.clamp(0, 8)).unwrap_or(8);
    (2.0 * 2f64.powi(doublings) - 1.0) * 0.2
}
