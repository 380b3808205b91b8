//! `tcp_max_tw_buckets` changed in the belief that it saves ports.

use model::observation::number_text;
use model::{Missing, Outcome, Severity};

use crate::sockets::folklore::{Origin, origin, undo};
use crate::sockets::parameters;
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.time-wait-buckets-changed",
    title: "tcp_max_tw_buckets is changed",
    explains: &[],
    refutes: &[Refutation {
        symptom: "sockets.ports-scarce",
        because: "tcp_max_tw_buckets counts TIME_WAIT of the whole host; ports run out per destination",
    }],
    document: include_str!("time_wait_buckets_changed.md"),
    test,
};

pub(super) const KEY: &str = "net.ipv4.tcp_max_tw_buckets";

#[expect(clippy::cast_precision_loss, reason = "counts of sockets")]
fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let limit = parameters::number(evidence, KEY)?;
    let own = parameters::half_of_hash(evidence, "net.ipv4.tcp_max_orphans");
    let seen = parameters::seen(evidence, KEY);
    let Origin::Someone(own) = origin(evidence, KEY, limit, own)? else {
        return Ok(
            Outcome::ruled_out(format!("{} is the kernel's own", number_text(limit as f64))).seen_all(seen)
        );
    };
    let limit = limit as f64;
    let was = own.map(|own| own as f64);
    let line = match was {
        Some(own) if limit > own => {
            format!("raised from {} to {}: it restricts nothing", number_text(own), number_text(limit))
        }
        Some(own) => {
            format!(
                "lowered from {} to {}: TIME_WAIT is cut short, no port is saved",
                number_text(own),
                number_text(limit)
            )
        }
        None => {
            format!("set to {}: it bounds TIME_WAIT of the whole host, no port is saved", number_text(limit))
        }
    };
    let formula = "the kernel's own: half of its hash of connections, as tcp_max_orphans shows";
    let moves = "TcpExt.TCPTimeWaitOverflow grows by 0";
    let remedy = undo(evidence, KEY, own, formula, moves);
    Ok(remedy.into_iter().fold(Outcome::confirmed(Severity::Folklore, line).seen_all(seen), Outcome::remedy))
}
