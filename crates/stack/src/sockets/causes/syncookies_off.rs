//! SYN cookies are off.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::sockets::parameters;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.syncookies-off",
    title: "SYN cookies are off",
    explains: &[],
    refutes: &[],
    document: include_str!("syncookies_off.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_syncookies";
const DROPS: &str = "TcpExt.TCPReqQFullDrop";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let mode = parameters::number(evidence, KEY)?;
    let seen = parameters::seen(evidence, KEY);
    if mode != 0 {
        return Ok(Outcome::ruled_out(format!("tcp_syncookies is {mode}")).seen_all(seen));
    }
    let facts = evidence.latest(|reading| &reading.sockets).ok();
    let drops = facts.and_then(|facts| facts.counters.get(DROPS)).copied();
    let formula = "the kernel's default: a full queue is answered by a cookie, not by silence";
    let remedy =
        parameters::restore(evidence, KEY, 1, formula, "TcpExt.TCPReqQFullDrop stays where it is in a flood");
    let outcome = match drops.filter(|drops| *drops > 0) {
        Some(drops) => {
            let line = format!("off, and {} SYNs were dropped since boot", count(drops));
            Outcome::confirmed(Severity::Latent, format!("{line}: the next burst loses more"))
        }
        None => {
            Outcome::confirmed(Severity::Hygiene, "off: a full queue of half-open connections drops SYNs")
        }
    };
    let total =
        drops.map(|drops| Observation::new("/proc/net/netstat", format!("{DROPS} since boot"), drops));
    Ok(outcome.seen_all(seen).seen_all(total).remedy(remedy))
}

#[expect(clippy::cast_precision_loss, reason = "a count that is shown")]
fn count(drops: u64) -> String {
    number_text(drops as f64)
}
