//! `tcp_tw_reuse` is on, and timestamps, which it needs, are off.

use model::{Missing, Outcome, Severity};

use crate::sockets::parameters;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.timestamps-off-with-reuse",
    title: "tcp_tw_reuse is on without the timestamps it needs",
    explains: &["sockets.ports-scarce"],
    refutes: &[],
    document: include_str!("timestamps_off_with_reuse.md"),
    test,
};

const REUSE: &str = "net.ipv4.tcp_tw_reuse";
const TIMESTAMPS: &str = "net.ipv4.tcp_timestamps";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let reuse = parameters::number(evidence, REUSE)?;
    let timestamps = parameters::number(evidence, TIMESTAMPS)?;
    let seen = [REUSE, TIMESTAMPS].into_iter().filter_map(|key| parameters::seen(evidence, key));
    let outcome = if reuse == 1 && timestamps == 0 {
        let formula = "the kernel's default; reuse compares timestamps to tell old segments from new";
        let moves = "TcpExt.TWRecycled grows";
        Outcome::confirmed(Severity::Folklore, "tcp_tw_reuse 1 does nothing while tcp_timestamps is 0")
            .remedy(parameters::restore(evidence, TIMESTAMPS, 1, formula, moves))
    } else {
        Outcome::ruled_out(format!("tcp_tw_reuse is {reuse}, tcp_timestamps is {timestamps}"))
    };
    Ok(outcome.seen_all(seen))
}
