//! `tcp_max_syn_backlog` set while SYN cookies make it inert.

use model::{Missing, Outcome, Severity};

use crate::sockets::folklore::{Origin, origin, undo};
use crate::sockets::parameters;
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.syn-backlog-inert",
    title: "tcp_max_syn_backlog is set and never consulted",
    explains: &[],
    refutes: &[Refutation {
        symptom: "sockets.connections-refused",
        because: "tcp_max_syn_backlog is not consulted while tcp_syncookies is on; the listen backlog bounds both queues",
    }],
    document: include_str!("syn_backlog_inert.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_max_syn_backlog";
const COOKIES: &str = "net.ipv4.tcp_syncookies";

/// The least that the kernel chooses.
const LEAST: u64 = 128;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let backlog = parameters::number(evidence, KEY)?;
    let cookies = parameters::number(evidence, COOKIES)?;
    let seen = [KEY, COOKIES].into_iter().filter_map(|key| parameters::seen(evidence, key));
    if cookies == 0 {
        let line = "tcp_syncookies is 0, so tcp_max_syn_backlog is consulted";
        return Ok(Outcome::ruled_out(line).seen_all(seen));
    }
    let own = own(evidence);
    let outcome = match origin(evidence, KEY, backlog, own)? {
        Origin::Someone(Some(own)) if u64::try_from(backlog) == Ok((own / 2).max(LEAST)) => {
            Outcome::ruled_out(format!("tcp_max_syn_backlog {backlog} is what older kernels choose"))
        }
        Origin::Kernel => Outcome::ruled_out(format!("tcp_max_syn_backlog {backlog} is the kernel's own")),
        Origin::Someone(own) => {
            let line =
                format!("tcp_max_syn_backlog {backlog} has no effect while tcp_syncookies is {cookies}");
            let formula = "the kernel's own: max(128, 2 × tcp_max_tw_buckets at boot / 128)";
            let moves = "nothing that is measured: the listen backlog bounds half-open connections";
            undo(evidence, KEY, own, formula, moves)
                .into_iter()
                .fold(Outcome::confirmed(Severity::Folklore, line), Outcome::remedy)
        }
    };
    Ok(outcome.seen_all(seen))
}

/// What the kernel chose at boot (`tcp_sk_init`), where its hash size is known.
fn own(evidence: &Evidence) -> Option<u64> {
    let witness = |key| parameters::half_of_hash(evidence, key);
    let half = witness("net.ipv4.tcp_max_tw_buckets").or_else(|| witness("net.ipv4.tcp_max_orphans"))?;
    Some((half / 64).max(LEAST))
}
