//! TIME_WAIT sockets are destroyed early.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::sockets::ports::TIME_WAIT_S;
use crate::sockets::{counters, parameters};
use crate::{Cause, Evidence};

use super::time_wait_buckets_changed::KEY;

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.time-wait-table-full",
    title: "TIME_WAIT sockets are destroyed early",
    explains: &[],
    refutes: &[],
    document: include_str!("time_wait_table_full.md"),
    test,
};

const OVERFLOWS: &str = "TcpExt.TCPTimeWaitOverflow";
/// Sockets whose TIME_WAIT ended by its timer, or that were reused before.
const ENDED: [&str; 2] = ["TcpExt.TW", "TcpExt.TWRecycled"];
/// The largest limit proposed: 16 times what the kernel chooses on a large host.
const MOST: f64 = 4_194_304.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let overflows = counters::per_second(&span, OVERFLOWS)?;
    let seen = [
        Some(counters::seen_per_second(OVERFLOWS, overflows)),
        span.last.sockstat.get("TCP.tw").map(|tw| Observation::new("/proc/net/sockstat", "TCP tw", *tw)),
        parameters::seen(evidence, KEY),
    ];
    if overflows <= 0.0 {
        let line = "no TIME_WAIT socket was destroyed for want of room";
        return Ok(Outcome::ruled_out(line).seen_all(seen.into_iter().flatten()));
    }
    let line = format!("{}/s destroyed at once instead of after 60 s", number_text(overflows));
    let ended: f64 = ENDED.iter().filter_map(|name| counters::per_second(&span, name).ok()).sum();
    let outcome = Outcome::confirmed(Severity::Hygiene, line).seen_all(seen.into_iter().flatten());
    Ok(match parameters::number(evidence, KEY) {
        Ok(limit) => outcome.remedy(remedy(evidence, limit, overflows, ended)),
        Err(missing) => outcome.lacks(missing),
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of sockets, clamped first"
)]
fn remedy(evidence: &Evidence, limit: i64, overflows: f64, ended: f64) -> Remedy {
    let closed = overflows + ended;
    let least = (2.0 * closed * TIME_WAIT_S).max(limit as f64 + 1.0).clamp(1.0, MOST);
    let wanted = (least.ceil() as u64).next_power_of_two();
    let target = Derived::new(wanted, "power of two ≥ 2 × closed/s × 60 s, more than now")
        .input(
            "closed",
            format!("{}/s", number_text(closed)),
            "growth of TW + TWRecycled + TCPTimeWaitOverflow",
        )
        .input("now", limit, KEY);
    let change = Change::sysctl(KEY, Some(limit.to_string()), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("each socket takes kernel memory: see tw_sock_TCP in /proc/slabinfo");
    Remedy::new("Give TIME_WAIT room", "TcpExt.TCPTimeWaitOverflow grows by 0")
        .lowers("TcpExt.TCPTimeWaitOverflow/s")
        .change(change)
}
